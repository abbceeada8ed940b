# %% [markdown] lang="en"
# # Step 5: the model behind an endpoint
#
# A model in a file serves a single program. Through an endpoint that speaks the **Open Inference Protocol**, every
# client can use the model: a train, a page, a colleague with `curl`. You write the code between the protocol and the
# detector, send a picture to the endpoint, and let the train drive with the endpoint's answers.
#
# You write the code in
# **[`labs/step5_serving.py`](../../labs/step5_serving.py)**:
# open it beside this notebook and look for `TODO`. The whole step takes about
# <!-- =step5_serving_minutes -->25<!-- = --> minutes.

# %% [markdown] lang="fr"
# # Étape 5 : le modèle derrière un point d’accès
#
# Un modèle dans un fichier sert à un seul programme. Derrière un point d’accès qui parle l’**Open Inference Protocol**,
# le modèle sert à tout le monde : un train, une page, une collègue avec `curl`. Vous écrivez le code entre le protocole
# et le détecteur, vous envoyez une image au point d’accès, puis vous faites rouler le train avec les réponses du point
# d’accès.
#
# Vous écrivez le code dans
# **[`labs/step5_serving.py`](../../labs/step5_serving.py)** :
# ouvrez ce fichier à côté du notebook et cherchez `À FAIRE`. L’étape prend
# environ <!-- =step5_serving_minutes -->25<!-- = --> minutes.

# %%
# %load_ext brakepoint.magic

# %%
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.request import Request, urlopen

from brakepoint.evaluation import read_picture
from brakepoint.feeds import find_feed
from brakepoint.mission.report import load_run
from brakepoint.models import BASE_MODEL
from brakepoint.serving import JPEG_MODEL
from brakepoint.serving.process import serving
from brakepoint.steps import load_step
from brakepoint.store import CONTENT_DIR
from brakepoint.truth import load_truth
from brakepoint.workshop.artefacts import outcome_of
from brakepoint.workshop.overhearing import overhear
from brakepoint.workshop.plots import plot_run, show_answers

lab = load_step("step5_serving")

# %% [markdown] lang="en"
# ## What the check says
#
# `%check 5` goes through `tensor`, which reads a request and refuses what does not fit; `switch`, which lets another
# version take over while requests come in; `request` and `boxes`, the client's side; and `lookout`, a client of the
# broker through which the train's services talk. The code that reads a JPEG and assembles a response is already there:
# look at `jpeg_bytes` and `answer`. Stuck? `%hint 5`.

# %% [markdown] lang="fr"
# ## Ce que dit la vérification
#
# `%check 5` passe en revue `tensor`, qui lit une requête et refuse ce qui ne convient pas ; `switch`, qui laisse une
# autre version prendre le relais pendant que les requêtes arrivent ; `request` et `boxes`, le côté client ; enfin
# `lookout`, qui se connecte au broker par lequel les services du train se parlent. La lecture d’un JPEG et la
# composition de la réponse sont déjà écrites : regardez `jpeg_bytes` et `answer`. Bloqué ? `%hint 5`.

# %%
# %check 5

# %% [markdown] lang="en"
# ## Two endpoints, one picture
#
# Once everything is green, your code serves two models: the *base model*, which knows the signs of the roads, and the
# *new* one of step 3. Each gets its own process, as it would get its own pod on a cluster. In a terminal, the command
# is `brakepoint serve`. The cell waits until both models are warm. If you interrupted training, `brakepoint catch-up 3`
# puts a trained model into `runs/train`.

# %% [markdown] lang="fr"
# ## Deux points d’accès, une image
#
# Quand tout est vert, votre code sert deux modèles : le *modèle de base*, qui connaît les panneaux de la route, et le
# *nouveau*, celui de l’étape 3. Chacun a son propre processus, comme il aurait son propre pod sur un cluster.
# Dans un terminal, la commande est `brakepoint serve`. La cellule attend que les deux modèles soient préchauffés. Vous
# avez interrompu l’entraînement ? `brakepoint catch-up 3` met un modèle entraîné dans `runs/train`.

# %%
endpoints = ExitStack()
base = endpoints.enter_context(serving(str(BASE_MODEL)))
new = endpoints.enter_context(serving(str(outcome_of("3") / "model.onnx")))
base.rest, new.rest

# %% [markdown] lang="en"
# ## Ask (`request`, `boxes`)
#
# The picture is sent as JSON, in base64; the answer contains boxes. Both models get the same bytes: what does each
# report for the yellow triangles?

# %% [markdown] lang="fr"
# ## Interroger (`request`, `boxes`)
#
# L’image est envoyée en JSON, codée en base64 ; la réponse contient des cadres. Les deux modèles reçoivent exactement
# les mêmes octets : que signale chacun pour les triangles jaunes ?

# %%
picture = CONTENT_DIR / "stills" / "images" / "still-0003-3.jpg"


def ask(endpoint):
    body = json.dumps(lab.request_body(picture.read_bytes())).encode()
    address = f"http://{endpoint.rest}/v2/models/{JPEG_MODEL}/infer"
    with urlopen(Request(address, body, {"Content-Type": "application/json"})) as answer:
        return lab.read_answer(json.load(answer))


show_answers(read_picture(picture), {"base": ask(base), "new": ask(new)})

# %% [markdown] lang="en"
# ## Drive through the endpoint
#
# The train's detector can be anywhere: here each frame goes to the new model over gRPC, which is made for this; JSON
# would be far too slow for fifteen frames a second. Only tensors are sent, so the model finds exactly what it would
# find locally.

# %% [markdown] lang="fr"
# ## Rouler avec le point d’accès
#
# Le détecteur du train peut être n’importe où : ici, chaque image va au nouveau modèle par gRPC, qui est fait pour
# cela ; JSON serait bien trop lent pour quinze images par seconde. Seuls des tenseurs sont envoyés : le modèle trouve
# donc exactement ce qu’il trouverait en local.

# %%
# !env -u FORCE_COLOR {sys.executable} -m brakepoint mission --steps solutions --feed track-stop --detector grpc://{new.grpc} --out runs/endpoint 2>&1 | cat

# %%
_, (recording,) = load_run(Path("runs/endpoint"))
plot_run(recording.run, load_truth(find_feed("track-stop").with_suffix(".json")))

# %% [markdown] lang="en"
# The film is in `runs/endpoint/index.html`. Now stop both endpoints. To serve the version that is in production in
# the bucket, and to follow each promotion without losing a request, run `brakepoint serve s3://`.

# %% [markdown] lang="fr"
# Le film est dans `runs/endpoint/index.html`. Arrêtez maintenant les deux points d’accès. Pour servir la version en
# production dans le bucket, et passer à la suivante sans perdre une requête, lancez `brakepoint serve s3://`.

# %%
endpoints.close()

# %% [markdown] lang="en"
# ## On the wire (`lookout`)
#
# The endpoint answers when it is asked. The train's own services do not ask each other: they publish messages to a
# broker, over MQTT, and each subscribes to what it needs. The cell starts the kit's broker, connects your lookout, and
# then cuts the connections of the detector and of the lookout. Which two of the five messages come from the broker
# itself, on behalf of a client that it has lost?
#
# The last two lines show what a client receives if it connects afterwards: both statuses, because they are retained,
# but not the stop.

# %% [markdown] lang="fr"
# ## Sur le réseau (`lookout`)
#
# Le point d’accès répond quand on l’interroge. Les services du train, eux, ne s’interrogent pas les uns les autres :
# ils publient leurs messages sur un broker, en MQTT, et chacun s’abonne à ce qu’il lui faut. La cellule démarre le
# broker du kit, connecte votre vigie, puis coupe la connexion du détecteur et celle de la vigie. Quels sont les deux
# messages, sur cinq, que le broker a publiés lui-même, au nom d’un client qu’il a perdu ?
#
# Les deux dernières lignes montrent ce que reçoit un client qui se connecte après coup : les deux états, parce qu’ils
# sont conservés, mais pas l’arrêt.

# %%
heard, afterwards = overhear(lab.lookout)
print(*heard, "", *afterwards, sep="\n")

# %% [markdown] lang="en"
# ## The open question
#
# At what JPEG quality should the train send its pictures? The network is wireless and shared, so every byte has a
# cost; but the detector cannot find what compression has removed. Your `request_body` writes the requests.
#
# There is no right answer. A ★ marks each attempt that none of your other attempts beats; attempts are saved with your
# progress. Change the number, and run the cell again.

# %% [markdown] lang="fr"
# ## La question ouverte
#
# Avec quelle qualité JPEG le train doit-il envoyer ses images ? Le réseau est sans fil et partagé : chaque octet a un
# coût ; mais le détecteur ne peut pas trouver ce que la compression a enlevé. Votre `request_body` écrit les
# requêtes.
#
# Il n’y a pas de bonne réponse. Une ★ marque chaque essai qu’aucun de vos autres essais ne bat ; les essais sont
# enregistrés avec votre progression. Changez le nombre, et relancez la cellule.

# %%
# %explore 5 20

# %%
# %check 5
