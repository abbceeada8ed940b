# %% [markdown] lang="en"
# # Step 6: the autopilot
#
# The detector says what is to be seen; the autopilot decides what the train does. You write it in stages, in
# **[`labs/step6_autopilot.py`](../../labs/step6_autopilot.py)**.
# At first your train derails; at the end it stops by itself. It takes about 40 minutes.
#
# The rules of the line: without an order to the contrary the train runs at full speed. At a `SpeedLimit` it is slow and stays
# so for 80 cm. Before a `DangerAhead` it comes to rest within 30 cm, blinks, waits 2 seconds, and passes slowly. Too fast in
# the last curve, it derails.

# %% [markdown] lang="fr"
# # Étape 6 : le pilote automatique
#
# Le détecteur dit ce qu’on voit ; le pilote décide de ce que fait le train. Vous l’écrivez par étapes, dans
# **[`labs/step6_autopilot.py`](../../labs/step6_autopilot.py)**.
# Au début, votre train déraille ; à la fin, il s’arrête tout seul. Comptez 40 minutes.
#
# Les règles de la ligne : sans ordre contraire, le train roule à pleine vitesse. À un `SpeedLimit`, il est lent et le reste sur
# 80 cm. Devant un `DangerAhead`, il s’arrête dans les 30 derniers cm, clignote, attend 2 secondes et repart lentement. Trop
# vite dans la dernière courbe, il déraille.

# %%
# %load_ext brakepoint.magic

# %%
from brakepoint.mission.scoring import score_run
from brakepoint.steps import load_step
from brakepoint.workshop.checks.driving import drive, feed
from brakepoint.workshop.checks.exam import exam
from brakepoint.workshop.plots import plot_run

lab = load_step("step6_autopilot")

# %% [markdown] lang="en"
# ## Your train
#
# It drives with perfect detections, so whatever goes wrong is the autopilot's doing. The line is its speed; signs are where
# they stand. Run this cell again after each `TODO`.

# %% [markdown] lang="fr"
# ## Votre train
#
# Il roule avec des détections parfaites : ce qui va mal vient donc du pilote. La courbe est sa vitesse ; les panneaux sont là
# où ils se dressent. Relancez cette cellule après chaque `À FAIRE`.

# %%
name = "track-stop-and-slowdown"
run = drive(lab, name)
plot_run(run, feed(name))

# %% [markdown] lang="en"
# ## What the check says
#
# `%check 6` goes through the gaps from `distance`, `every`, `debounce`, `braking`, `priority` and `failsafe` to `exam`. Fill them
# in this order: the file has another, that in which the train thinks. Stuck? `%hint 6`.

# %% [markdown] lang="fr"
# ## Ce que dit la vérification
#
# `%check 6` passe les trous en revue : `distance`, `every`, `debounce`, `braking`, `priority`, `failsafe`, `exam`. Comblez-les dans
# cet ordre : celui du fichier en est un autre, celui dans lequel le train réfléchit. Bloqué ? `%hint 6`.

# %%
# %check 6

# %% [markdown] lang="en"
# ## The whole line
#
# The score of each feed, from 0 to 100. With your own detector, and as a film:
# `brakepoint mission --steps labs --detector runs/train/model.onnx`.

# %% [markdown] lang="fr"
# ## La ligne entière
#
# Le score de chaque flux, de 0 à 100. Avec votre propre détecteur, et en film :
# `brakepoint mission --steps labs --detector runs/train/model.onnx`.

# %%
for name in ("track-empty", "track-slowdown", "track-stop", "track-stop-and-slowdown", "track-full"):
    print(f"{name:<25}{score_run(drive(lab, name), feed(name)).score:6.1f}")

# %% [markdown] lang="en"
# ## The exam
#
# Now something breaks while the train is under way: after 3 seconds the camera freezes, goes blind or stutters, the train is
# heard no more, the autopilot falls silent, as it does when your code raises an error. Whatever it is, the train must be at rest
# within <!-- =stopping_limit_cm -->51<!-- = --> cm of where it was, and stay there. Where the distance comes from: `docs/en/safety.md`.

# %% [markdown] lang="fr"
# ## L’examen
#
# Maintenant, quelque chose casse en route : après 3 secondes, la caméra se fige, devient aveugle ou hoquette, le train ne donne
# plus de nouvelles, le pilote se tait, comme quand votre code lève une erreur. Quelle que soit la panne, le train doit être à l’arrêt
# <!-- =stopping_limit_cm -->51<!-- = --> cm plus loin au plus tard, et y rester. D’où vient cette distance : `docs/fr/safety.md`.

# %%
for outcome in exam(lab):
    print(outcome)

# %% [markdown] lang="en"
# ## The open question
#
# From which confidence on does your autopilot believe its eyes? In good light it hardly matters. Here the light is bad: the detector is
# seldom sure of a sign, and sometimes takes another for a danger. Your autopilot drives the longest line ten times. What would you rather
# lose, a sign or the patience of the passengers?
#
# There is no right answer, and a ★ marks each attempt that none of your others beats. They are kept with your progress. Change the number, and run the cell again.

# %% [markdown] lang="fr"
# ## La question ouverte
#
# À partir de quelle confiance votre pilote croit-il ses yeux ? Par bonne lumière, peu importe. Ici la lumière est mauvaise : le détecteur
# est rarement sûr d’un panneau, et en prend parfois un autre pour un danger. Votre pilote parcourt dix fois la ligne la plus longue. Que
# préférez-vous perdre, un panneau ou la patience des passagers ?
#
# Aucune réponse n’est la bonne, et une ★ marque chaque essai qu’aucun autre des vôtres ne bat. Ils sont gardés avec votre progression. Changez le nombre, et relancez la cellule.

# %%
# %explore 6 0.6

# %%
# %check 6
