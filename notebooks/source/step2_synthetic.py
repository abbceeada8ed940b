# %% [markdown] lang="en"
# # Step 2: synthetic pictures with exact labels
#
# Photographs are expensive: people have to take them and draw a box around every sign. A computer paints a picture in
# an instant, and knows where it put each sign: the labels cost nothing and are never wrong. But the pictures must teach
# the right thing, and that is the subject of this step.
#
# You write the code in
# **[`labs/step2_synthetic.py`](../../labs/step2_synthetic.py)**:
# look for `TODO`. Save the file, then run the cells here again. The whole step
# takes about <!-- =step2_synthetic_minutes -->25<!-- = --> minutes.

# %% [markdown] lang="fr"
# # Étape 2 : des images de synthèse aux étiquettes exactes
#
# Les photos coûtent cher : il faut les prendre, puis y tracer un cadre autour de chaque panneau. Un
# ordinateur peint une image en un clin d’œil, et il sait où il a mis chaque panneau : les étiquettes ne coûtent rien et
# ne sont jamais fausses. Mais les images doivent enseigner ce qu’il faut, et c’est le sujet de cette étape.
#
# Vous écrivez le code dans
# **[`labs/step2_synthetic.py`](../../labs/step2_synthetic.py)** :
# cherchez `À FAIRE`. Enregistrez, puis relancez les cellules.
# L’étape prend environ <!-- =step2_synthetic_minutes -->25<!-- = --> minutes.

# %%
# %load_ext brakepoint.magic

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from brakepoint.cores import available_cores
from brakepoint.steps import load_step
from brakepoint.store.building import draw_samples
from brakepoint.synthesis import Materials
from brakepoint.synthesis.cutouts import SHIPPED_CUTOUTS, load_cutouts
from brakepoint.synthesis.engine import synthesise
from brakepoint.workshop.artefacts import QUICK_PICTURES, SYNTHETIC_DIR, SYNTHETIC_PICTURES
from brakepoint.workshop.plots import show_labelled, show_picture, show_sprites
from brakepoint.workshop.quick import size

lab = load_step("step2_synthetic")

# %% [markdown] lang="en"
# ## Signs and distractors
#
# The upper row shows the signs that the train must find: `DangerAhead` and `SpeedLimit`. The lower row shows
# *distractors*: other signs, and the backs of signs. They mean nothing here, and get no label. A detector trained
# without distractors reports everything that is round, red or yellow.
#
# Half of the signs are drawn; half are cut-outs rendered with realistic light, which are also in the bucket of step 1.
# Each sign is a *sprite*: colours, and an *alpha*, which is the share of each pixel that the sign covers.

# %% [markdown] lang="fr"
# ## Panneaux et leurres
#
# La rangée du haut montre les panneaux que le train doit trouver : `DangerAhead` et `SpeedLimit` ; celle du bas, des
# *leurres* : d’autres panneaux, et des panneaux vus de dos. Les leurres ne veulent rien dire ici et n’ont pas
# d’étiquette. Entraîné sans leurres, un détecteur signale tout ce qui est rond, rouge ou jaune.
#
# La moitié des panneaux est dessinée ; l’autre moitié vient d’images détourées, rendues avec une lumière réaliste, qui
# sont aussi dans le bucket de l’étape 1. Chaque panneau est un *sprite* : des couleurs, et un *alpha* qui dit quelle
# part de chaque pixel le panneau couvre.

# %%
rng = np.random.default_rng(5)
materials = Materials(cutouts=load_cutouts(SHIPPED_CUTOUTS))
show_sprites([[materials.sign(rng, 120, 90, distractor) for _ in range(8)] for distractor in (False, True)])

# %% [markdown] lang="en"
# ## What the check says
#
# Run `%check 2` whenever you have written something; it goes through `blend`, `box`, `hidden`, `labels`, `plan` and
# `picture`. If you are stuck, `%hint 2` reveals a little more each time.

# %% [markdown] lang="fr"
# ## Ce que dit la vérification
#
# Lancez `%check 2` chaque fois que vous avez écrit quelque chose ; la vérification passe en revue `blend`, `box`,
# `hidden`, `labels`, `plan` et `picture`. Bloqué ? `%hint 2` en dit un peu plus à chaque fois.

# %%
# %check 2

# %% [markdown] lang="en"
# ## One picture
#
# The number is the *seed*: the same seed makes the same picture, to the last pixel, on any machine. Try others.
#
# Look closely. Is every box tight (`box`)? Does every sign that must be found have a box, and does nothing else have one
# (`labels`)? Could you find each sign yourself (`hidden`)? Do the signs look as if they had been there when the picture
# was taken (`blend`, `picture`)?

# %% [markdown] lang="fr"
# ## Une image
#
# Le nombre est la *graine* : la même graine refait la même image, au pixel près, sur n’importe quelle machine.
# Essayez-en d’autres.
#
# Regardez bien. Chaque cadre serre-t-il son panneau (`box`) ? Les panneaux à trouver ont-ils tous un cadre, et eux
# seuls (`labels`) ? Pourriez-vous trouver vous-même chacun de ces panneaux (`hidden`) ? Les panneaux ont-ils l’air
# d’avoir été là au moment de la photo (`blend`, `picture`) ?

# %%
seed = 15
show_labelled(lab.paint_picture(np.random.default_rng(seed), materials))

# %% [markdown] lang="en"
# ## Many pictures
#
# Make a dozen pictures first, to look at. They are repainted each time, with your current code. When you like them,
# make as many as good training needs, which takes a minute or two on two cores. If the cell was interrupted, run it
# again: it resumes where it stopped. Picture number 123 is the same whether you make 200 or 20,000.

# %% [markdown] lang="fr"
# ## Beaucoup d’images
#
# Faites d’abord une douzaine d’images, pour les regarder. Elles sont repeintes à chaque fois, avec votre code actuel.
# Si elles vous plaisent, faites-en autant qu’il en faut pour un bon entraînement, ce qui prend une minute ou deux sur
# deux cœurs. Si la cellule a été interrompue, relancez-la : elle reprend où elle s’est arrêtée. L’image numéro 123 est
# la même, que vous en fassiez 200 ou 20 000.

# %%
with TemporaryDirectory() as folder:
    synthesise(Path(folder), 12, seed=0, materials=materials, workers=1, step=lab)
    show_picture(draw_samples(Path(folder)))

# %%
count = size(SYNTHETIC_PICTURES, QUICK_PICTURES)
synthesise(SYNTHETIC_DIR, count, seed=0, materials=materials, workers=available_cores(), step=lab)

# %% [markdown] lang="en"
# If you have changed your code since then, delete `runs/synthetic`; otherwise the pictures already there are kept, and
# not painted again.

# %% [markdown] lang="fr"
# Vous avez modifié votre code depuis ? Supprimez `runs/synthetic` ; sinon, les images qui s’y trouvent déjà sont
# gardées, et ne sont pas repeintes.

# %% [markdown] lang="en"
# ## The open question
#
# How much of a sign must be visible for it to be a fair lesson? `VISIBLE_LEAST` is 0.4, but could have another value.
# Here your code paints crowded signs, and a good detector looks for them: the less visibility you require, the more
# signs there are, and the harder they are to find.
#
# There is no right answer. A ★ marks each attempt that none of your other attempts beats; attempts are saved with your
# progress. Change the number, and run the cell again.

# %% [markdown] lang="fr"
# ## La question ouverte
#
# Quelle part d’un panneau doit être visible pour que le détecteur puisse vraiment en apprendre quelque chose ?
# `VISIBLE_LEAST` vaut 0,4, mais pourrait valoir autre chose. Ici, votre code peint des panneaux serrés les uns contre
# les autres, et un bon détecteur les cherche : moins vous exigez de visibilité, plus il y a de panneaux, et plus ils
# sont difficiles à trouver.
#
# Il n’y a pas de bonne réponse. Une ★ marque chaque essai qu’aucun de vos autres essais ne bat ; les essais sont
# enregistrés avec votre progression. Changez le nombre, et relancez la cellule.

# %%
# %explore 2 0.1

# %%
# %check 2
