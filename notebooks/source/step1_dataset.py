# %% [markdown] lang="en"
# # Step 1: a dataset from the object store
#
# A detector learns from pictures with labels. Ours are in an object store (S3), labelled with Label Studio. In this
# step you download the pictures, convert their labels to the format that training requires, and split the pictures so
# that validation is fair.
#
# You write the code in **[`labs/step1_dataset.py`](../../labs/step1_dataset.py)**: open the file beside this notebook
# and look for `TODO`. Save the file, then run the cells here again: they always use your latest code. The whole step
# takes about <!-- =step1_dataset_minutes -->20<!-- = --> minutes.

# %% [markdown] lang="fr"
# # Étape 1 : un jeu de données venu du stockage objet
#
# Un détecteur apprend sur des images étiquetées. Les nôtres sont dans un stockage objet (S3) ; elles ont été étiquetées
# avec Label Studio. Dans cette étape, vous téléchargez les images, vous convertissez leurs étiquettes au format que
# demande l’entraînement, et vous répartissez les images de sorte que la validation soit fiable.
#
# Vous écrivez le code dans **[`labs/step1_dataset.py`](../../labs/step1_dataset.py)** : ouvrez ce fichier à côté du
# notebook et cherchez `À FAIRE`. Enregistrez, puis relancez les cellules : elles utilisent toujours la dernière version
# du fichier. L’étape prend environ <!-- =step1_dataset_minutes -->20<!-- = --> minutes.

# %%
# %load_ext brakepoint.magic

# %%
from pathlib import Path

from brakepoint.steps import load_step
from brakepoint.store import STILLS_PREFIX, object_store
from brakepoint.store.building import build_dataset, draw_samples
from brakepoint.store.fetching import fetch_content
from brakepoint.labels.label_studio_export import read_export
from brakepoint.workshop.plots import show_picture

lab = load_step("step1_dataset")
folder = Path("runs/dataset")

# %% [markdown] lang="en"
# ## What the check says
#
# Run `%check 1` whenever you have written something. It shows what is right, what is wrong and why, and what to do
# next. If you are stuck, `%hint 1` reveals a little more each time.

# %% [markdown] lang="fr"
# ## Ce que dit la vérification
#
# Lancez `%check 1` chaque fois que vous avez écrit quelque chose. La vérification dit ce qui est juste, ce qui est faux
# et pourquoi, et ce qu’il faut faire ensuite. Bloqué ? `%hint 1` en dit un peu plus à chaque fois.

# %%
# %check 1

# %% [markdown] lang="en"
# ## List and download (`listing`, `download`)
#
# If `AWS_S3_ENDPOINT` is set (in OpenShift AI a data connection does that), the pictures come from that store;
# otherwise a small S3 server starts on this machine. S3 returns a listing page by page, with at most 1000 objects on
# each page.
#
# Connections break. A half-downloaded picture under its final name would be noticed only days later, in the middle of
# a training run, so a file gets its final name only once its content has been checked.
#
# The cell shows the number of objects under `stills/`, and the number of files it downloaded, including the cut-out
# signs for step 2. The second time, the cell downloads 0 files.

# %% [markdown] lang="fr"
# ## Lister et télécharger (`listing`, `download`)
#
# Si `AWS_S3_ENDPOINT` est définie (dans OpenShift AI, une connexion de données s’en charge), les images viennent du
# stockage qu’elle désigne ; sinon, un petit serveur S3 démarre sur cette machine. S3 renvoie la liste page par page,
# avec 1000 objets au plus par page.
#
# Il arrive qu’une connexion se coupe. Une moitié d’image sous son nom définitif ne serait découverte que des jours plus
# tard, en plein entraînement : un fichier ne reçoit donc son nom définitif qu’une fois son contenu vérifié.
#
# La cellule affiche le nombre d’objets sous `stills/`, puis le nombre de fichiers téléchargés, dont les images
# détourées de l’étape 2. La deuxième fois, la cellule télécharge 0 fichier.

# %%
with object_store() as store:
    objects = lab.list_objects(store.client, store.bucket, STILLS_PREFIX)
    fetched = fetch_content(store, lab, folder / "downloads", lambda done, total: None)
len(objects), fetched

# %% [markdown] lang="en"
# ## From rectangles to labels (`percent`, `yolo`)
#
# Here is one picture's task, as Label Studio exports it. The position and size of a rectangle are percentages, which
# you convert. Some rectangles are rotated, and some pictures were skipped or labelled twice: `corners` and
# `annotation_that_counts` already handle these cases. Read both functions: a picture that everybody skipped is
# omitted, because nobody has confirmed that it shows no signs.

# %% [markdown] lang="fr"
# ## Des rectangles aux étiquettes (`percent`, `yolo`)
#
# Voici la tâche d’une image, telle que Label Studio l’exporte. La position et la taille d’un rectangle sont des
# pourcentages : à vous de les convertir. Certains rectangles sont inclinés, certaines images ont été sautées ou
# étiquetées deux fois : `corners` et `annotation_that_counts` s’en chargent déjà. Lisez ces deux fonctions : une image
# que tout le monde a sautée est écartée, car personne n’a confirmé qu’elle était sans panneau.

# %%
tasks = read_export(folder / "downloads/stills/annotations.json")
task = next(task for task in tasks if len(task.annotations) == 2)
task

# %%
lab.yolo_labels(task)

# %% [markdown] lang="en"
# ## A fair split (`split`)
#
# The six views of a scene look almost alike. If some were used for training and others for validation, the detector
# would seem far better than it is.

# %% [markdown] lang="fr"
# ## Un découpage sans fuite (`split`)
#
# Les six vues d’une scène sont presque identiques. Si certaines servaient à l’apprentissage et d’autres à la
# validation, le détecteur semblerait bien meilleur qu’il ne l’est.

# %%
dataset = build_dataset(folder / "downloads/stills", lab, folder)
dataset

# %% [markdown] lang="en"
# Look at what you made: is every box where it should be?

# %% [markdown] lang="fr"
# Regardez ce que vous avez fait : chaque cadre est-il à sa place ?

# %%
show_picture(draw_samples(dataset.folder / "train"))

# %% [markdown] lang="en"
# ## The open question
#
# How many of your scenes do you keep for validation? The network learns nothing from them, but with too few, the
# score means little: with two scenes, it mostly depends on which two they are. You choose the share. The result is
# the difference in mAP50 between the luckiest and the unluckiest of twenty of your splits, in points, and the number
# of pictures left to learn from.
#
# There is no right answer. A ★ marks each attempt that none of your other attempts beats; attempts are saved with your
# progress. Change the number, and run the cell again.

# %% [markdown] lang="fr"
# ## La question ouverte
#
# Combien de vos scènes gardez-vous pour la validation ? Le réseau n’apprend rien de ces scènes, mais s’il y en a trop
# peu, le score ne vaut pas grand-chose : avec deux scènes, il dépend surtout des deux scènes tirées. À vous de choisir
# la part ; le résultat est l’écart, en points de mAP50, entre le plus favorable et le plus défavorable de vingt
# découpages faits par votre code, et le nombre d’images qui restent pour apprendre.
#
# Il n’y a pas de bonne réponse. Une ★ marque chaque essai qu’aucun de vos autres essais ne bat ; les essais sont
# enregistrés avec votre progression. Changez le nombre, et relancez la cellule.

# %%
# %explore 1 0.2

# %%
# %check 1
