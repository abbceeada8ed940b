# %% [markdown] lang="en"
# # Step 3: a detector that learns
#
# There is a *base model*: it knows the signs of European roads. On our track a `DangerAhead` is a yellow triangle, which it has
# never seen as one. You *fine-tune* it: it learns the new signs from the pictures of steps 1 and 2, in minutes instead of
# hours, and should not forget the old ones.
#
# You write the decisions around the training in
# **[`labs/step3_training.py`](../../labs/step3_training.py)**:
# look for `TODO`. The whole step takes about 30
# minutes, some of which the computer needs to learn.

# %% [markdown] lang="fr"
# # Étape 3 : un détecteur qui apprend
#
# Il existe un *modèle de base* : il connaît les panneaux des routes d’Europe. Sur notre voie, un `DangerAhead` est un triangle
# jaune, qu’il n’a jamais vu ainsi. Vous allez l’*affiner* : il apprend les nouveaux panneaux sur les images des étapes 1 et 2,
# en quelques minutes et non en plusieurs heures, et ne devrait pas oublier les anciens.
#
# Vous écrivez les décisions autour de l’entraînement dans
# **[`labs/step3_training.py`](../../labs/step3_training.py)** :
# cherchez `À FAIRE`. L’étape prend
# environ 30 minutes, dont une partie pour que l’ordinateur apprenne.

# %%
# %load_ext brakepoint.magic

# %%
from pathlib import Path

from brakepoint.cores import available_cores
from brakepoint.detector import Detector
from brakepoint.evaluation.compare import compare
from brakepoint.models import BASE_CHECKPOINT, BASE_MODEL
from brakepoint.steps import load_step
from brakepoint.synthesis import Materials
from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, load_cutouts
from brakepoint.synthesis.engine import synthesise
from brakepoint.training.fine_tuning import learn
from brakepoint.workshop.artefacts import TRAINING_DIR, outcome_of
from brakepoint.workshop.measuring import judged_detections
from brakepoint.workshop.plots import plot_threshold, show_detections
from brakepoint.workshop.quick import size
from brakepoint.worlds import World

lab = load_step("step3_training")

# %% [markdown] lang="en"
# ## What the base model sees
#
# These pictures are of the track, and were kept apart in step 1: the model does not learn from them. Thin boxes are the truth,
# thick ones what the model reports. It knows speed limits; what does it make of yellow triangles?

# %% [markdown] lang="fr"
# ## Ce que voit le modèle de base
#
# Ces images montrent la voie, et ont été mises de côté à l’étape 1 : le modèle n’apprend pas sur elles. Les cadres fins sont la
# vérité, les épais ce que dit le modèle. Il connaît les limitations ; que fait-il des triangles jaunes ?

# %%
stills, synthetic = outcome_of("1"), outcome_of("2")
show_detections(BASE_MODEL, stills / "val")

# %% [markdown] lang="en"
# ## What the check says
#
# `%check 3` goes through `mix`, `stop`, `threshold` and `gate`, in seconds: it trains nothing. Stuck? `%hint 3`.

# %% [markdown] lang="fr"
# ## Ce que dit la vérification
#
# `%check 3` passe en revue `mix`, `stop`, `threshold` et `gate`, en quelques secondes : elle n’entraîne rien. Bloqué ?
# `%hint 3`.

# %%
# %check 3

# %% [markdown] lang="en"
# ## What to learn from (`mix`)
#
# Synthetic pictures and stills of the track, and some of roads. Who learns nothing but new things forgets the old ones:
# *catastrophic forgetting*. Road pictures for the examination are made, too, from another seed.

# %% [markdown] lang="fr"
# ## Sur quoi apprendre (`mix`)
#
# Des images de la voie, celles de l’étape 1 et celles de synthèse, et quelques images de routes. Qui n’apprend que du neuf
# oublie l’ancien : c’est *l’oubli catastrophique*. On fabrique aussi des images de routes pour l’examen, d’une autre graine.

# %%
track_pictures = sum(len(list((folder / "images").iterdir())) for folder in (synthetic, stills / "train"))
painter, roads = load_step("step2_synthetic", "solutions"), Materials(World.ROAD, cutouts=load_cutouts(SHIPPED_CUTOUTS))
learn_roads, exam_roads = Path("runs/roads/train"), Path("runs/roads/val")
road_pictures = min(lab.road_pictures(track_pictures), size(1000, quick=8))
synthesise(learn_roads, road_pictures, 1, roads, available_cores(), painter)
synthesise(exam_roads, size(60, quick=6), 999, roads, available_cores(), painter)
exams = {World.TRACK: stills / "val", World.ROAD: exam_roads}

# %% [markdown] lang="en"
# ## Learn (`stop`)
#
# An *epoch* is one pass through all pictures. After each one the model is examined, and `should_stop` decides whether to go on.
# The bar shows the time that is left, five to ten minutes on two cores: a good moment to read on, or for a coffee. Interrupted? Run the
# cell again: it goes on after the last whole epoch.
#
# With three epochs it never ends early; a long training, `lab.Recipe(epochs=12)` say, it may.
#
# No patience? Interrupt the cell. `brakepoint catch-up 3` in a terminal puts a trained model into `runs/train` and the complete
# file into `labs/`; yours is kept, and it says where. Then go on below, without curves.

# %% [markdown] lang="fr"
# ## Apprendre (`stop`)
#
# Une *époque* est un passage sur toutes les images. Après chacune, le modèle est examiné, et `should_stop` décide s’il faut
# continuer. La barre montre le temps restant, cinq à dix minutes sur deux cœurs : le temps de lire la suite, ou de prendre un café.
# Interrompu ? Relancez la cellule : elle reprend après la dernière époque entière.
#
# En trois époques, elle n’arrête jamais rien ; un long entraînement, disons `lab.Recipe(epochs=12)`, peut-être.
#
# Pas la patience ? Interrompez la cellule. `brakepoint catch-up 3` dans un terminal met un modèle entraîné dans `runs/train` et
# le fichier complet dans `labs/` ; le vôtre est conservé, et elle dit où. Continuez ensuite plus bas, sans courbes.

# %%
recipe = lab.Recipe(epochs=size(lab.Recipe.epochs, quick=1))
trained = learn(lab, [synthetic, stills / "train", learn_roads], list(exams.values()), TRAINING_DIR, BASE_CHECKPOINT, recipe)
trained

# %%
from IPython.display import Image, display

curves = TRAINING_DIR / "run" / "curves.png"
Image(filename=str(curves)) if curves.exists() else None

# %% [markdown] lang="en"
# The same pictures again, with your model:

# %% [markdown] lang="fr"
# Les mêmes images, avec votre modèle :

# %%
show_detections(TRAINING_DIR / "model.onnx", stills / "val")

# %% [markdown] lang="en"
# ## How sure is sure enough (`threshold`)
#
# *Precision*: of what is reported, how much is right. *Recall*: of what is there, how much is found. Both depend on the
# confidence from which on a detection is believed; the line is your choice. The autopilot of step 6 has one of its own,
# `CONFIDENCE_MIN`, chosen for whole journeys: it sees a sign many times, and may wait until the model is surer.

# %% [markdown] lang="fr"
# ## À partir de quand être sûr (`threshold`)
#
# *Précision* : de ce qui est signalé, quelle part est juste. *Rappel* : de ce qui est là, quelle part est trouvée. Les deux
# dépendent de la confiance à partir de laquelle on croit une détection ; le trait est votre choix. Le pilote de l’étape 6 a le
# sien, `CONFIDENCE_MIN`, choisi pour des trajets entiers : il voit un panneau plusieurs fois, et peut attendre que le modèle
# soit plus sûr.

# %%
confidences, correct, truths = judged_detections(TRAINING_DIR / "model.onnx", stills / "val")
chosen = lab.choose_confidence(confidences, correct)
plot_threshold(confidences, correct, truths, chosen)

# %% [markdown] lang="en"
# ## Better, and at what price (`gate`)
#
# mAP50 sums up precision and recall over all confidences, from 0 to 1. The pictures show where base and new model differ: curves,
# what is taken for what (*confusion*), and the pictures on which your model errs most. What do its errors have in common?

# %% [markdown] lang="fr"
# ## Meilleur, et à quel prix (`gate`)
#
# La mAP50 résume précision et rappel sur toutes les confiances, de 0 à 1. Les figures montrent en quoi les deux modèles
# diffèrent : les courbes, ce qui est pris pour autre chose (*confusion*), et les images où votre modèle se trompe le plus. Qu’ont
# ses erreurs en commun ?

# %%
models = Detector(BASE_MODEL), Detector(TRAINING_DIR / "model.onnx")
compared = compare(*models, exams, Path("runs/comparison"), chosen)
base = {world: each.base.map50 for world, each in compared.worlds.items()}
new = {world: each.new.map50 for world, each in compared.worlds.items()}
for world in World:
    print(f"{world:<8}{base[world]:6.3f} → {new[world]:.3f}")
lab.is_better(new, base)

# %%
display(*(Image(filename=str(picture), width=900) for picture in compared.pictures))

# %% [markdown] lang="en"
# ## Drive with it
#
# In a terminal, with the kit's autopilot, since yours comes in step 6:
# `brakepoint mission --steps solutions --detector runs/train/model.onnx --feed track-stop`.
#
# Your own signs, your own camera: `brakepoint show --detector runs/train/model.onnx` in a terminal opens a page on which you show
# it signs and label what it gets wrong.
#
# Then go on with the notebook of step 4.

# %% [markdown] lang="fr"
# ## Rouler avec
#
# Dans un terminal, avec le pilote du kit, car le vôtre vient à l’étape 6 :
# `brakepoint mission --steps solutions --detector runs/train/model.onnx --feed track-stop`.
#
# Vos propres panneaux, votre propre caméra : dans un terminal, `brakepoint show --detector runs/train/model.onnx` ouvre une page où
# vous lui montrez des panneaux et annotez ce qu’il manque.
#
# Continuez ensuite par le notebook de l’étape 4.

# %% [markdown] lang="en"
# ## The open question
#
# From which confidence on do you believe your model? There are two ways to be wrong, a sign that is not found and a stop for nothing, and
# fewer of the one means more of the other. `PRECISION_LEAST` was a choice, too. What would you rather lose?
#
# There is no right answer, and a ★ marks each attempt that none of your others beats. They are kept with your progress. Change the number, and run the cell again.

# %% [markdown] lang="fr"
# ## La question ouverte
#
# À partir de quelle confiance croyez-vous votre modèle ? Il y a deux façons de se tromper, un panneau qui n’est pas trouvé et un arrêt
# pour rien, et moins de l’une, c’est plus de l’autre. `PRECISION_LEAST` aussi était un choix. Que préférez-vous perdre ?
#
# Aucune réponse n’est la bonne, et une ★ marque chaque essai qu’aucun autre des vôtres ne bat. Ils sont gardés avec votre progression. Changez le nombre, et relancez la cellule.

# %%
# %explore 3 0.3

# %%
# %check 3
