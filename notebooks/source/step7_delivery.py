# %% [markdown] lang="en"
# # Step 7: delivery
#
# Your autopilot drives on your machine. Now it will drive in a test environment, and everything you push will arrive
# there automatically. You write two things in `labs/step7_delivery/`: the **overlay**, which defines how the test
# environment differs from the base that all environments share, and the **pipeline**, which turns a push into a commit
# and images for two architectures. Look for `TODO` in these files:
#
# - [`overlay/kustomization.yaml`](../../labs/step7_delivery/overlay/kustomization.yaml)
# - [`overlay/train-network.yaml`](../../labs/step7_delivery/overlay/train-network.yaml)
# - [`pipeline/pipeline.yaml`](../../labs/step7_delivery/pipeline/pipeline.yaml)
#
# The step takes about <!-- =step7_delivery_minutes -->30<!-- = --> minutes, and needs no cluster.

# %% [markdown] lang="fr"
# # Étape 7 : la livraison
#
# Votre pilote conduit sur votre machine. Il doit maintenant conduire dans un environnement de test, et tout ce que vous
# poussez doit y arriver tout seul. Vous écrivez deux choses dans `labs/step7_delivery/` : l’**overlay**, qui dit en
# quoi l’environnement de test diffère de la base commune à tous les environnements, et le **pipeline**, qui transforme
# un push en images pour deux architectures et en un commit. Cherchez `À FAIRE` dans ces fichiers :
#
# - [`overlay/kustomization.yaml`](../../labs/step7_delivery/overlay/kustomization.yaml)
# - [`overlay/train-network.yaml`](../../labs/step7_delivery/overlay/train-network.yaml)
# - [`pipeline/pipeline.yaml`](../../labs/step7_delivery/pipeline/pipeline.yaml)
#
# Comptez <!-- =step7_delivery_minutes -->30<!-- = --> minutes ; aucun cluster n’est nécessaire.

# %%
# %load_ext brakepoint.magic

# %%
import os

from brakepoint.delivery.picture import plot_deployment
from brakepoint.course import ROOT

overlay = ROOT / os.environ["BRAKEPOINT_STEPS"] / "step7_delivery" / "overlay"

# %% [markdown] lang="en"
# ## What would run
#
# `kubectl kustomize` renders the overlay: the base, the simulated train and your changes become plain manifests. This
# picture is drawn from them: it shows each pod, and an arrow for each connection that the network policies allow. Run
# the cell again after each `TODO`: an image without a version, and a train that nothing can connect to, are shown in
# red.

# %% [markdown] lang="fr"
# ## Ce que déploie l’overlay
#
# `kubectl kustomize` produit les manifestes de l’overlay : la base, le train simulé et vos changements deviennent des
# manifestes ordinaires. Ce schéma en est tiré : il montre chaque pod, et une flèche pour chaque connexion que laissent
# passer les règles réseau. Relancez la cellule après chaque `À FAIRE` : une image sans version et un train auquel rien
# ne peut se connecter sont en rouge.

# %%
plot_deployment(overlay)

# %% [markdown] lang="en"
# ## What the check says
#
# `%check 7` goes through the overlay (`settings`, `image`, `resources`, `page`, `network`) and the pipeline (`build`,
# `manifest`, `commit`). It reads the rendered manifests, as a cluster would. Stuck? `%hint 7`.

# %% [markdown] lang="fr"
# ## Ce que dit la vérification
#
# `%check 7` passe en revue l’overlay (`settings`, `image`, `resources`, `page`, `network`) puis le pipeline (`build`,
# `manifest`, `commit`). La vérification lit les manifestes produits, comme le ferait un cluster. Bloqué ? `%hint 7`.

# %%
# %check 7

# %% [markdown] lang="en"
# ## Deploy
#
# In a terminal, run `brakepoint deploy --steps labs`. The command renders your overlay, generates users and passwords,
# starts the command of each container as a process, with the environment that the manifests give it, drives the train
# through the feed once, and scores the run. This run uses your overlay, your autopilot and the model that
# `--detector` names. On a cluster, Argo CD does the same from git.

# %% [markdown] lang="fr"
# ## Déployer
#
# Dans un terminal, lancez `brakepoint deploy --steps labs`. La commande produit les manifestes de votre overlay, crée
# des utilisateurs et des mots de passe, lance chaque conteneur sous forme de processus, avec l’environnement que lui
# donnent les manifestes, fait parcourir le flux une fois au train et calcule le score du trajet. Ce trajet utilise
# votre overlay, votre pilote et le modèle que désigne `--detector`. Sur un cluster, Argo CD fait de même à partir de
# git.

# %% [markdown] lang="en"
# ## The open question
#
# How many cores do you request for the detector? The fewer you request, the more trains fit on an eight-core node, but
# the less often each train looks. Your overlay sets how many cores the other services take; the duration of one
# detection is measured on your machine.
#
# There is no right answer. A ★ marks each attempt that none of your other attempts beats; attempts are saved with your
# progress. Change the number, and run the cell again.

# %% [markdown] lang="fr"
# ## La question ouverte
#
# Combien de cœurs demandez-vous pour le détecteur ? Moins vous en demandez, plus un nœud de huit cœurs accueille de
# trains, mais moins chaque train analyse d’images. Votre overlay fixe le nombre de cœurs que prennent les autres
# services ; la durée d’une détection est mesurée sur votre machine.
#
# Il n’y a pas de bonne réponse. Une ★ marque chaque essai qu’aucun de vos autres essais ne bat ; les essais sont
# enregistrés avec votre progression. Changez le nombre, et relancez la cellule.

# %%
# %explore 7 0.25
