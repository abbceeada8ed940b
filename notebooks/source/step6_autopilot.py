# %% [markdown] lang="en"
# # Step 6: the autopilot
#
# The detector reports what it sees; the autopilot decides what the train does. You write the autopilot in stages, in
# **[`labs/step6_autopilot.py`](../../labs/step6_autopilot.py)**. At first your train derails; at the end it stops by
# itself. The step takes about <!-- =step6_autopilot_minutes -->30<!-- = --> minutes.
#
# The rules of the line: with no sign to obey, the train drives at full speed. At a `SpeedLimit` it drives
# slowly, and continues slowly for 80 cm. It stops at most 30 cm before a `DangerAhead`, blinks, waits 2 seconds, and
# passes slowly. If it is too fast in the last curve, it derails.

# %% [markdown] lang="fr"
# # Étape 6 : le pilote automatique
#
# Le détecteur dit ce qu’il voit ; le pilote décide de ce que fait le train. Vous écrivez le pilote par étapes, dans
# **[`labs/step6_autopilot.py`](../../labs/step6_autopilot.py)**. Au début, votre train déraille ; à la fin, il s’arrête
# tout seul. Comptez <!-- =step6_autopilot_minutes -->30<!-- = --> minutes.
#
# Les règles de la ligne : sans panneau à respecter, le train roule à pleine vitesse. À hauteur d’un `SpeedLimit`, il
# roule lentement, et continue ainsi sur 80 cm. Devant un `DangerAhead`, il s’arrête dans les 30 derniers cm, fait
# clignoter son phare, attend 2 secondes et passe lentement. S’il va trop vite dans la dernière courbe, il déraille.

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
# Your train drives with perfect detections, so every error is the autopilot's. The curve is the train's speed; the
# signs are drawn at their positions. Run this cell again after each `TODO`.

# %% [markdown] lang="fr"
# ## Votre train
#
# Votre train roule avec des détections parfaites : toute erreur vient donc du pilote. La courbe montre la vitesse du
# train ; les panneaux sont dessinés à leur place. Relancez cette cellule après chaque `À FAIRE`.

# %%
name = "track-stop-and-slowdown"
run = drive(lab, name)
plot_run(run, feed(name))

# %% [markdown] lang="en"
# ## What the check says
#
# `%check 6` goes through the gaps `distance`, `every`, `debounce`, `braking`, `priority`, `failsafe` and `exam`. Fill
# them in this order, and not in that of the file, which is the order in which the train decides. Stuck? `%hint 6`.

# %% [markdown] lang="fr"
# ## Ce que dit la vérification
#
# `%check 6` passe les trous en revue : `distance`, `every`, `debounce`, `braking`, `priority`, `failsafe`, `exam`.
# Comblez-les dans cet ordre, et non dans celui du fichier, qui est l’ordre des décisions du train. Bloqué ? `%hint 6`.

# %%
# %check 6

# %% [markdown] lang="en"
# ## The whole line
#
# The table shows the score of each feed, from 0 to 100. To drive with your own detector and get a film, run
# `brakepoint mission --steps labs --detector runs/train/model.onnx`.

# %% [markdown] lang="fr"
# ## La ligne entière
#
# Le tableau donne le score de chaque flux, de 0 à 100. Pour rouler avec votre propre détecteur et obtenir un film,
# lancez `brakepoint mission --steps labs --detector runs/train/model.onnx`.

# %%
for name in ("track-empty", "track-slowdown", "track-stop", "track-stop-and-slowdown", "track-full"):
    print(f"{name:<25}{score_run(drive(lab, name), feed(name)).score:6.1f}")

# %% [markdown] lang="en"
# ## The exam
#
# Now something breaks while the train is driving. After 3 seconds the camera freezes, goes blind or stutters, the train
# stops reporting, or the autopilot falls silent, as it does when your code raises an error. In every case, the train
# must come to rest within <!-- =stopping_limit_cm -->51<!-- = --> cm of where it was when the fault occurred, and stay
# there. `docs/en/safety.md` explains this distance.

# %% [markdown] lang="fr"
# ## L’examen
#
# Maintenant, une panne survient en route : après 3 secondes, la caméra se fige, devient aveugle ou hoquette, le
# train ne donne plus de nouvelles, ou le pilote se tait, comme quand votre code lève une erreur. Quelle que soit la
# panne, le train doit s’arrêter au plus <!-- =stopping_limit_cm -->51<!-- = --> cm plus loin, et y rester.
# `docs/fr/safety.md` explique cette distance.

# %%
for outcome in exam(lab):
    print(outcome)

# %% [markdown] lang="en"
# ## The open question
#
# At what confidence should your autopilot start to believe a detection? In good light the choice hardly matters. Here
# the light is bad: the detector is rarely sure of a sign, and sometimes mistakes a different sign for a danger. Your
# autopilot drives the longest line ten times. What would you rather lose, a sign or the patience of the passengers?
#
# There is no right answer. A ★ marks each attempt that none of your other attempts beats; attempts are saved with your
# progress. Change the number, and run the cell again.

# %% [markdown] lang="fr"
# ## La question ouverte
#
# À partir de quelle confiance votre pilote doit-il retenir une détection ? Par bonne lumière, ce choix importe peu.
# Ici, la lumière est mauvaise : le détecteur est rarement sûr d’un panneau, et prend parfois un autre panneau pour un
# danger. Votre pilote parcourt dix fois la ligne la plus longue. Que préférez-vous perdre, un panneau ou la patience
# des passagers ?
#
# Il n’y a pas de bonne réponse. Une ★ marque chaque essai qu’aucun de vos autres essais ne bat ; les essais sont
# enregistrés avec votre progression. Changez le nombre, et relancez la cellule.

# %%
# %explore 6 0.6

# %%
# %check 6
