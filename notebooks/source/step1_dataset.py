# %% [markdown] lang="en"
# # Step 1: a dataset from the object store
#
# A detector learns from pictures with labels. Ours lie in an object store (S3), labelled with Label Studio. In this step
# you download them, turn the labels into the form that the training wants, and split them so that the examination is fair.
#
# You write the code in
# **[`labs/step1_dataset.py`](../../labs/step1_dataset.py)**:
# open it beside this notebook and look for `TODO`. Save it, then run the
# cells here again: they always use your newest code. The whole step takes about 15 minutes.

# %% [markdown] lang="fr"
# # Étape 1 : un jeu de données venu du stockage objet
#
# Un détecteur apprend sur des images étiquetées. Les nôtres sont dans un stockage objet (S3), étiquetées avec Label Studio.
# Dans cette étape, vous les téléchargez, vous convertissez les étiquettes dans la forme que veut l’entraînement, et vous les
# découpez pour que l’examen soit honnête.
#
# Vous écrivez le code dans
# **[`labs/step1_dataset.py`](../../labs/step1_dataset.py)** :
# ouvrez-le à côté de ce notebook et cherchez `À FAIRE`. Enregistrez,
# puis relancez les cellules : elles emploient toujours votre dernier code. L’étape prend environ 15 minutes.

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
# Run `%check 1` whenever you have written something. It says what is right, what is wrong and why, and what to do next.
# Stuck? `%hint 1` tells a little more each time.

# %% [markdown] lang="fr"
# ## Ce que dit la vérification
#
# Lancez `%check 1` chaque fois que vous avez écrit quelque chose. Elle dit ce qui est juste, ce qui est faux et pourquoi, et
# quoi faire ensuite. Bloqué ? `%hint 1` en dit un peu plus à chaque fois.

# %%
# %check 1

# %% [markdown] lang="en"
# ## List and download (`listing`, `download`)
#
# If `AWS_S3_ENDPOINT` is set (in OpenShift AI a data connection does that), the pictures come from there; otherwise a small
# S3 server starts on this machine. S3 answers a listing page by page, at most 1000 objects each.
#
# Connections break. A half-downloaded picture under its right name would be found days later, in the middle of a training:
# so a file gets its name only once it has been checked.
#
# The cell answers with how many objects there are under `stills/`, and how many files it fetched, cut-out signs for step 2
# among them; the second time it is 0.

# %% [markdown] lang="fr"
# ## Lister et télécharger (`listing`, `download`)
#
# Si `AWS_S3_ENDPOINT` est définie (dans OpenShift AI, une connexion de données s’en charge), les images viennent de là ;
# sinon un petit serveur S3 démarre sur cette machine. S3 répond à un listage page par page, 1000 objets au plus chacune.
#
# Les connexions se coupent. Une moitié d’image sous son vrai nom ne serait découverte que des jours plus tard, en plein
# entraînement : un fichier ne reçoit donc son nom qu’une fois vérifié.
#
# La cellule répond par le nombre d’objets sous `stills/`, puis par le nombre de fichiers téléchargés, dont les panneaux
# détourés de l’étape 2 ; la deuxième fois, c’est 0.

# %%
with object_store() as store:
    objects = lab.list_objects(store.client, store.bucket, STILLS_PREFIX)
    fetched = fetch_content(store, lab, folder / "downloads", lambda done, total: None)
len(objects), fetched

# %% [markdown] lang="en"
# ## From rectangles to labels (`percent`, `yolo`)
#
# Here is one task as Label Studio exports it. Every number of a rectangle is a percentage: that is yours. Some rectangles are
# turned, some pictures were skipped or labelled twice: for that `corners` and `annotation_that_counts` are there. Read them:
# a picture that everybody skipped is left out, since nobody has said that there are no signs on it.

# %% [markdown] lang="fr"
# ## Des rectangles aux étiquettes (`percent`, `yolo`)
#
# Voici une tâche telle que Label Studio l’exporte. Chaque nombre d’un rectangle est un pourcentage : à vous de jouer. Certains
# rectangles sont tournés, certaines images ont été sautées ou étiquetées deux fois : `corners` et `annotation_that_counts` s’en
# chargent déjà. Lisez-les : une image que tout le monde a sautée est écartée, car personne n’a dit qu’elle était sans panneau.

# %%
tasks = read_export(folder / "downloads/stills/annotations.json")
task = next(task for task in tasks if len(task.annotations) == 2)
task

# %%
lab.yolo_labels(task)

# %% [markdown] lang="en"
# ## A fair split (`split`)
#
# The six views of a scene look almost alike. Were some to learn from and others to be examined on, the detector would seem
# far better than it is.

# %% [markdown] lang="fr"
# ## Un découpage honnête (`split`)
#
# Les six vues d’une scène se ressemblent. Si certaines servaient à apprendre et d’autres à l’examen, le détecteur semblerait
# bien meilleur qu’il ne l’est.

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
# How many of your scenes do you keep for the examination? What is kept teaches nothing. What is left decides how much a mark is worth: with
# two scenes it says which two they were. The share is yours to choose; the outcome is how many points of mAP50 lie between the luckiest and the
# unluckiest of twenty of your splits, and how many pictures are left to learn from.
#
# There is no right answer, and a ★ marks each attempt that none of your others beats. They are kept with your progress. Change the number, and run the cell again.

# %% [markdown] lang="fr"
# ## La question ouverte
#
# Combien de vos scènes gardez-vous pour l’examen ? Ce que l’on garde ne sert pas à apprendre. Ce qui reste décide de ce que vaut une note : avec
# deux scènes, elle dit surtout lesquelles c’étaient. À vous de choisir la part ; le résultat est le nombre de points de mAP50 entre le plus
# chanceux et le plus malchanceux de vingt de vos découpages, et le nombre d’images qui restent pour apprendre.
#
# Aucune réponse n’est la bonne, et une ★ marque chaque essai qu’aucun autre des vôtres ne bat. Ils sont gardés avec votre progression. Changez le nombre, et relancez la cellule.

# %%
# %explore 1 0.2

# %%
# %check 1
