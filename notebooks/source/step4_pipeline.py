# %% [markdown] lang="en"
# # Step 4: training as a pipeline
#
# You have downloaded and painted pictures, and trained and compared models, all by hand. Next week there will be new
# pictures, and someone else must repeat everything, in the same order, without publishing a worse model. A *pipeline*
# does this: each of its *components* runs in its own container and passes on *artefacts*. The same code runs on this
# machine and on OpenShift AI.
#
# You write the quality gate and the wiring in **[`labs/step4_pipeline.py`](../../labs/step4_pipeline.py)**: look for
# `TODO`. The whole step takes about <!-- =step4_pipeline_minutes -->20<!-- = --> minutes, including some for the
# training run.

# %% [markdown] lang="fr"
# # Étape 4 : l’entraînement en pipeline
#
# Vous avez téléchargé et peint des images, puis entraîné et comparé des modèles, le tout à la main. La semaine
# prochaine, il y aura de nouvelles images, et quelqu’un d’autre devra tout refaire, dans le même ordre, sans publier un
# modèle moins bon. C’est le travail d’un *pipeline* : chacun de ses *composants* tourne dans son propre conteneur et
# transmet des *artefacts*. Le même code tourne sur cette machine et sur OpenShift AI.
#
# Vous écrivez le contrôle qualité et les liaisons dans **[`labs/step4_pipeline.py`](../../labs/step4_pipeline.py)** :
# cherchez `À FAIRE`. L’étape prend environ <!-- =step4_pipeline_minutes -->20<!-- = --> minutes, dont une partie pour
# l’entraînement.

# %%
# %load_ext brakepoint.magic

# %%
import sys

from IPython.display import HTML

from brakepoint.models import SHIPPED_MODEL
from brakepoint.pipeline.drawing import show_pipeline
from brakepoint.pipeline.local import run
from brakepoint.registry.bucket import Registry
from brakepoint.steps import load_step
from brakepoint.store import object_store
from brakepoint.texts import text
from brakepoint.workshop.quick import size

lab = load_step("step4_pipeline")

# %% [markdown] lang="en"
# ## What the check says
#
# `%check 4` goes through `gate`, `secret`, `gpu` and `wiring`. It trains nothing: it reads what your pipeline compiles
# to. Stuck? `%hint 4`.

# %% [markdown] lang="fr"
# ## Ce que dit la vérification
#
# `%check 4` passe en revue `gate`, `secret`, `gpu` et `wiring`. La vérification n’entraîne rien : elle lit ce que votre
# pipeline devient une fois compilé. Bloqué ? `%hint 4`.

# %%
# %check 4

# %% [markdown] lang="en"
# ## The graph (`wiring`, `gpu`)
#
# This is what Kubeflow makes of your lines of code. An arrow shows which task waits for which, and its label
# names the artefact that is passed on. The task in a different colour requests a GPU.

# %% [markdown] lang="fr"
# ## Le graphe (`wiring`, `gpu`)
#
# Voici ce que Kubeflow fait de vos lignes de code. Une flèche va d’une tâche à celle qui l’attend, et son étiquette
# nomme l’artefact transmis. La tâche de couleur différente demande un GPU.

# %%
show_pipeline(lab.training_pipeline())

# %% [markdown] lang="en"
# ## Run it, small
#
# With one epoch and few pictures, this takes a few minutes; on this machine each component is a process. The pipeline
# also runs your steps 1 to 3. If you skipped step 2, for example, `brakepoint catch-up 2` in a terminal puts
# the complete file of that step into `labs/`, and keeps yours.
#
# ▶ marks a task that starts, ✓ one that is done, ≡ one that an earlier run has done. At the end the gate decides: a
# model that passes is published and goes *into production*. The score required here is low, so that this very first
# model can pass.

# %% [markdown] lang="fr"
# ## Exécuter le pipeline, en petit
#
# Avec une époque et peu d’images, l’exécution prend quelques minutes ; sur cette machine, chaque composant est un
# processus. Le pipeline exécute aussi vos étapes 1 à 3. Vous avez sauté l’étape 2, par exemple ?
# `brakepoint catch-up 2` dans un terminal met le fichier complet de cette étape dans `labs/`, et conserve le vôtre.
#
# ▶ marque une tâche qui commence, ✓ une tâche finie, ≡ une tâche déjà faite par une exécution précédente. À la fin, le
# contrôle qualité décide, et un modèle qui passe est publié et mis *en production*. Le score exigé ici est bas, pour
# que ce tout premier modèle puisse passer.

# %%
settings = {"epochs": 1, "pictures": size(60, quick=8), "seed": 0, "least": 0.1, "tolerance": 0.01}


def tell(what, task):
    print(text(f"pipeline.task.{what}", task=task))


first = run(lab, tell, **settings)
print(*first.refused, sep="\n")

# %% [markdown] lang="en"
# ## The comparison
#
# This is the output of the component `comparison`; on a cluster, you find it on the run's page: figures,
# precision–recall curves, the confusion matrix, and the pictures on which both models do worst. While nothing is in
# production, the new model is compared with the base model.

# %% [markdown] lang="fr"
# ## La comparaison
#
# Voici la sortie du composant `comparison` ; sur un cluster, elle se trouve sur la page de l’exécution : des chiffres,
# les courbes précision-rappel, la matrice de confusion, et les images où les deux modèles se trompent le plus. Tant que
# rien n’est en production, le nouveau modèle est comparé au modèle de base.

# %%
HTML(first.compared.as_html(first.pictures))

# %% [markdown] lang="en"
# ## The gate (`gate`)
#
# Meanwhile a colleague has trained a model for hours and published it: it is the one that comes with the kit. This
# version is now in production:

# %% [markdown] lang="fr"
# ## Le contrôle qualité (`gate`)
#
# Entre-temps, une collègue a entraîné un modèle pendant des heures, et l’a publié : c’est celui qui est fourni avec le
# kit. Voici la version désormais en production :

# %%
with object_store() as store:
    registry = Registry(store)
    registry.promote(registry.publish(SHIPPED_MODEL).number)
    print(registry.production().number)

# %% [markdown] lang="en"
# Your pipeline runs again, with the same settings. ≡ marks a task whose inputs and code have not changed: its
# artefacts come from the *cache*. Those of the comparison never come from the cache, because the model in production is
# not one of its inputs.

# %% [markdown] lang="fr"
# Votre pipeline tourne de nouveau, avec les mêmes réglages. ≡ marque une tâche dont ni les entrées ni le code n’ont
# changé : ses artefacts viennent du *cache*. Ceux de la comparaison n’en viennent jamais, car le modèle en production
# ne figure pas parmi ses entrées.

# %%
second = run(lab, tell, **settings)
print(*second.refused, sep="\n")

# %%
HTML(second.compared.as_html(second.pictures))

# %% [markdown] lang="en"
# Your small model was refused, with a reason for each fault; your colleague's model stays in production. If promoting
# it was a mistake, nothing is lost, because every version is kept, as this list shows:

# %% [markdown] lang="fr"
# Votre petit modèle a été refusé, avec une raison pour chaque défaut ; le modèle de votre collègue reste en production.
# Si la mise en production de ce modèle était une erreur, rien n’est perdu, car chaque version est conservée, comme
# le montre cette liste :

# %%
# !{sys.executable} -m brakepoint model list

# %% [markdown] lang="en"
# In a terminal, `brakepoint model rollback` puts the previous version back into production. Try it, and look at the
# list again.
#
# ## On a cluster (`secret`)
#
# The cell writes the same pipeline as YAML. Search the file for `secretAsEnv`: it contains the secret's name and the
# names of its keys, but no value. In OpenShift AI, import the file in *Data Science Pipelines*, or submit it:
# `brakepoint pipeline submit --host URL`.

# %% [markdown] lang="fr"
# Dans un terminal, `brakepoint model rollback` remet la version précédente en production. Essayez, puis regardez de
# nouveau la liste.
#
# ## Sur un cluster (`secret`)
#
# La cellule écrit le même pipeline en YAML. Cherchez `secretAsEnv` dans le fichier : vous y trouvez le nom du secret et
# ceux de ses clés, mais aucune valeur. Dans OpenShift AI, importez le fichier dans *Data Science Pipelines*, ou
# envoyez-le : `brakepoint pipeline submit --host URL`.

# %%
# !{sys.executable} -m brakepoint pipeline compile

# %% [markdown] lang="en"
# ## The open question
#
# How much worse than the model in production may a new model seem, and still be published? An evaluation on some twenty
# pictures is off by a few hundredths, so a strict gate rejects some better models, and a lenient one lets some worse
# models through. Your `gate` judges two thousand simulated models whose true quality is known.
#
# There is no right answer. A ★ marks each attempt that none of your other attempts beats; attempts are saved with your
# progress. Change the number, and run the cell again.

# %% [markdown] lang="fr"
# ## La question ouverte
#
# De combien un nouveau modèle peut-il sembler moins bon que le modèle en production, et être publié quand même ? Une
# évaluation sur une vingtaine d’images se trompe de quelques centièmes : un contrôle strict rejette parfois un meilleur
# modèle, un contrôle indulgent en laisse parfois passer un moins bon. Votre `gate` juge deux mille modèles simulés,
# dont on connaît la vraie qualité.
#
# Il n’y a pas de bonne réponse. Une ★ marque chaque essai qu’aucun de vos autres essais ne bat ; les essais sont
# enregistrés avec votre progression. Changez le nombre, et relancez la cellule.

# %%
# %explore 4 0.01

# %%
# %check 4
