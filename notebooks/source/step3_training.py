# %% [markdown] lang="en"
# # Step 3: a detector that learns
#
# You start from a *base model*, which knows the signs of European roads. On our track a `DangerAhead` is a yellow
# triangle, which the model has never learnt. You *fine-tune* the model: it learns the new signs from the pictures of
# steps 1 and 2, in minutes instead of hours, and should not forget the old ones.
#
# You write the code that makes the decisions about training, in
# **[`labs/step3_training.py`](../../labs/step3_training.py)**: look for `TODO`. The whole step takes about
# <!-- =step3_training_minutes -->20<!-- = --> minutes, including some for the training run.

# %% [markdown] lang="fr"
# # Étape 3 : un détecteur qui apprend
#
# Vous partez d’un *modèle de base*, qui connaît les panneaux des routes d’Europe. Sur notre voie, un `DangerAhead` est
# un triangle jaune, que le modèle n’a jamais appris. Vous allez *affiner* le modèle : il apprend les nouveaux panneaux
# sur les images des étapes 1 et 2, en quelques minutes et non en plusieurs heures, et ne doit pas oublier les
# anciens.
#
# Vous écrivez le code qui prend les décisions de l’entraînement, dans
# **[`labs/step3_training.py`](../../labs/step3_training.py)** : cherchez `À FAIRE`. L’étape prend environ
# <!-- =step3_training_minutes -->20<!-- = --> minutes, dont une partie pour l’entraînement.

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
# These pictures show the track, and were set aside in step 1: the model does not learn from them. Thin boxes are the
# ground truth; thick ones are what the model reports. The model knows speed limits; what does it report for yellow
# triangles?

# %% [markdown] lang="fr"
# ## Ce que voit le modèle de base
#
# Ces images montrent la voie, et ont été mises de côté à l’étape 1 : elles ne servent pas à l’entraînement. Les cadres
# fins viennent de la vérité terrain, et les cadres épais, du modèle. Le modèle connaît les limitations ; que
# signale-t-il pour les triangles jaunes ?

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
# `%check 3` passe en revue `mix`, `stop`, `threshold` et `gate`, en quelques secondes : la vérification n’entraîne
# rien. Bloqué ? `%hint 3`.

# %%
# %check 3

# %% [markdown] lang="en"
# ## What to learn from (`mix`)
#
# The model learns from synthetic pictures and stills of the track, and from some road pictures. A network that learns
# only new things forgets the old ones: this is *catastrophic forgetting*. The cell also makes road pictures for
# validation, from a different seed.

# %% [markdown] lang="fr"
# ## Les images d’apprentissage (`mix`)
#
# Le modèle apprend sur des images de la voie, celles de l’étape 1 et celles de synthèse, et sur quelques images de
# routes. Un réseau qui n’apprend que du nouveau oublie l’ancien : c’est *l’oubli catastrophique*. La cellule fabrique
# aussi des images de routes pour la validation, à partir d’une autre graine.

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
# An *epoch* is one pass through all pictures. After each epoch the model is evaluated, and `should_stop` decides
# whether to continue. The bar shows the remaining time, four to ten minutes on two cores: a good moment to read on, or
# to have a coffee. If the cell was interrupted, run it again: it resumes after the last complete epoch.
#
# With three epochs, training never ends early; a longer run, such as `lab.Recipe(epochs=12)`, may.
#
# If you do not want to wait, interrupt the cell. `brakepoint catch-up 3` in a terminal puts a trained model into
# `runs/train` and the complete file into `labs/`; it keeps your file, and prints where it is. Then continue below,
# without the training curves.

# %% [markdown] lang="fr"
# ## Apprendre (`stop`)
#
# Une *époque* est un passage sur toutes les images. Après chaque époque, le modèle est évalué, et `should_stop` décide
# s’il faut continuer. La barre montre le temps restant, quatre à dix minutes sur deux cœurs : le temps de lire la
# suite, ou de prendre un café. Si la cellule a été interrompue, relancez-la : elle reprend après la dernière époque
# entière.
#
# Avec trois époques, l’entraînement ne s’arrête jamais avant la fin ; un entraînement plus long, par exemple avec
# `lab.Recipe(epochs=12)`, peut s’arrêter avant la fin.
#
# Si vous ne voulez pas attendre, interrompez la cellule. `brakepoint catch-up 3` dans un terminal met un modèle
# entraîné dans `runs/train` et le fichier complet dans `labs/` ; la commande conserve votre fichier, et dit où il est.
# Continuez ensuite plus bas, sans les courbes de l’entraînement.

# %%
recipe = lab.Recipe(epochs=size(lab.Recipe.epochs, quick=1))
trained = learn(lab, [synthetic, stills / "train", learn_roads], list(exams.values()), TRAINING_DIR, BASE_CHECKPOINT, recipe)
trained

# %%
from IPython.display import Image, display

curves = TRAINING_DIR / "run" / "curves.png"
Image(filename=str(curves)) if curves.exists() else None

# %% [markdown] lang="en"
# These are the same pictures, with your model:

# %% [markdown] lang="fr"
# Voici les mêmes images, avec votre modèle :

# %%
show_detections(TRAINING_DIR / "model.onnx", stills / "val")

# %% [markdown] lang="en"
# ## How sure is sure enough? (`threshold`)
#
# *Precision* is the share of the reported signs that are real; *recall* is the share of the existing signs that are
# found. Both depend on the lowest confidence at which a detection is believed; the vertical line is your choice. The
# autopilot of step 6 has its own threshold, `CONFIDENCE_MIN`, chosen for whole runs: the autopilot sees a sign many
# times, and can wait until the model is surer.

# %% [markdown] lang="fr"
# ## À partir de quelle confiance croire le modèle ? (`threshold`)
#
# La *précision* est la part des panneaux signalés qui sont de vrais panneaux ; le *rappel*, la part des panneaux
# présents qui sont trouvés. Les deux dépendent de la confiance à partir de laquelle on retient une détection ; le trait
# vertical est votre choix. Le pilote de l’étape 6 a son propre seuil, `CONFIDENCE_MIN`, choisi pour des trajets
# entiers : le pilote voit un panneau plusieurs fois, et peut attendre que le modèle soit plus sûr.

# %%
confidences, correct, truths = judged_detections(TRAINING_DIR / "model.onnx", stills / "val")
chosen = lab.choose_confidence(confidences, correct)
plot_threshold(confidences, correct, truths, chosen)

# %% [markdown] lang="en"
# ## Better, and at what price? (`gate`)
#
# mAP50, a number from 0 to 1, sums up precision and recall over all confidences. The plots show where the base model
# and the new one differ: the curves, the *confusion* between classes, and the pictures on which the two models make the
# most errors. What do your model's errors have in common?

# %% [markdown] lang="fr"
# ## Meilleur, et à quel prix ? (`gate`)
#
# La mAP50, un nombre de 0 à 1, résume la précision et le rappel, toutes confiances confondues. Les figures montrent en
# quoi le modèle de base et le nouveau diffèrent : les courbes, la *confusion* entre les classes, et les images où les
# deux modèles se trompent le plus. Qu’est-ce que les erreurs de votre modèle ont en commun ?

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
# ## Drive with your model
#
# In a terminal, drive with the kit's autopilot, because you do not write your own until step 6:
# `brakepoint mission --steps solutions --detector runs/train/model.onnx --feed track-stop`.
#
# To try your own signs and camera, run `brakepoint show --detector runs/train/model.onnx` in a terminal: the command
# opens a page on which you show signs to the model and label its mistakes.
#
# Then continue with the notebook of step 4.

# %% [markdown] lang="fr"
# ## Rouler avec votre modèle
#
# Dans un terminal, roulez avec le pilote du kit, car vous n’écrirez le vôtre qu’à l’étape 6 :
# `brakepoint mission --steps solutions --detector runs/train/model.onnx --feed track-stop`.
#
# Pour essayer vos propres panneaux et votre propre caméra, lancez `brakepoint show --detector runs/train/model.onnx`
# dans un terminal : la commande ouvre une page où vous montrez des panneaux au modèle et étiquetez ses erreurs.
#
# Continuez ensuite par le notebook de l’étape 4.

# %% [markdown] lang="en"
# ## The open question
#
# At what confidence do you start to believe your model? There are two ways to be wrong, a missed sign and a false
# stop, and fewer of one means more of the other. `PRECISION_LEAST` was a choice, too. What would you rather lose?
#
# There is no right answer. A ★ marks each attempt that none of your other attempts beats; attempts are saved with your
# progress. Change the number, and run the cell again.

# %% [markdown] lang="fr"
# ## La question ouverte
#
# À partir de quelle confiance croyez-vous votre modèle ? Il y a deux sortes d’erreurs, le panneau manqué et l’arrêt
# pour rien ; moins il y a d’erreurs d’une sorte, plus il y en a de l’autre. `PRECISION_LEAST` aussi était un choix. Que
# préférez-vous perdre ?
#
# Il n’y a pas de bonne réponse. Une ★ marque chaque essai qu’aucun de vos autres essais ne bat ; les essais sont
# enregistrés avec votre progression. Changez le nombre, et relancez la cellule.

# %%
# %explore 3 0.3

# %%
# %check 3
