"""The Pod Security Standards, as required by a namespace's label.

Each check corresponds to one of Kubernetes' own (k8s.io/pod-security-admission/policy, version `latest`).
"""

from collections.abc import Iterator

from brakepoint.cluster.pods import Manifest

LEVELS = ("privileged", "baseline", "restricted")
ENFORCE = "pod-security.kubernetes.io/enforce"
BASELINE_CAPABILITIES = {
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
RESTRICTED_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def violations(level: str, spec: Manifest, annotations: dict[str, str] | None = None) -> list[str]:
    """The violations of a level in a pod.

    Args:
        level: One of `LEVELS`.
        spec: Spec of the pod, after other admission plugins have completed it.
        annotations: Annotations of the pod.

    Returns:
        A short reason for each violation; empty if the pod may be created.
    """
    if level == "privileged":
        return []
    found = list(_baseline(spec, annotations or {}))
    if level == "restricted":
        found += _restricted(spec)
    return list(dict.fromkeys(found))


def _contexts(spec: Manifest) -> Iterator[tuple[str, Manifest]]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or ():
            yield container.get("name", ""), container.get("securityContext") or {}


def _baseline(spec: Manifest, annotations: dict[str, str]) -> Iterator[str]:
    shared = spec.get("securityContext") or {}
    yield from (name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name))
    for volume in spec.get("volumes") or ():
        if "hostPath" in volume:
            yield f"hostPath {volume['name']}"
    for sysctl in shared.get("sysctls") or ():
        if sysctl["name"] not in SAFE_SYSCTLS:
            yield f"sysctl {sysctl['name']}"
    yield from _of_any_context("", shared)
    for name, own in _contexts(spec):
        yield from _of_any_context(f"{name}: ", own)
        if own.get("privileged"):
            yield f"{name}: privileged"
        for capability in (own.get("capabilities") or {}).get("add") or ():
            if capability not in BASELINE_CAPABILITIES:
                yield f"{name}: capabilities.add {capability}"
        if own.get("procMount", "Default") != "Default" and spec.get("hostUsers") is not False:
            yield f"{name}: procMount {own['procMount']}"
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        yield from _of_the_host(container)
    for key, value in annotations.items():
        known = value in ("", "runtime/default") or value.startswith("localhost/")
        if key.startswith("container.apparmor.security.beta.kubernetes.io/") and not known:
            yield f"appArmor {value}"


def _of_any_context(where: str, said: Manifest) -> Iterator[str]:
    """The violations that apply to pods and containers alike."""
    if (said.get("seccompProfile") or {}).get("type") == "Unconfined":
        yield f"{where}seccompProfile Unconfined"
    if (said.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield f"{where}appArmorProfile Unconfined"
    if (said.get("windowsOptions") or {}).get("hostProcess"):
        yield f"{where}hostProcess"
    label = said.get("seLinuxOptions") or {}
    if label.get("type", "") not in SELINUX_TYPES or label.get("user") or label.get("role"):
        yield f"{where}seLinuxOptions"


def _of_the_host(container: Manifest) -> Iterator[str]:
    name = container.get("name", "")
    for port in container.get("ports") or ():
        if port.get("hostPort"):
            yield f"{name}: hostPort {port['hostPort']}"
    asked = [container.get(probe) or {} for probe in PROBES]
    asked += [hook or {} for hook in (container.get("lifecycle") or {}).values() if isinstance(hook, dict)]
    for one in asked:
        if any((one.get(kind) or {}).get("host") for kind in ("httpGet", "tcpSocket")):
            yield f"{name}: host of a probe"


def _restricted(spec: Manifest) -> Iterator[str]:
    if (spec.get("os") or {}).get("name") == "windows":
        return
    shared = spec.get("securityContext") or {}
    for volume in spec.get("volumes") or ():
        for kind in volume.keys() - {"name"} - RESTRICTED_VOLUMES:
            yield f"{kind} {volume['name']}"
    in_user_namespace = spec.get("hostUsers") is False
    if shared.get("runAsUser") == 0 and not in_user_namespace:
        yield "runAsUser 0"
    for name, own in _contexts(spec):
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"{name}: allowPrivilegeEscalation"
        non_root = own.get("runAsNonRoot", shared.get("runAsNonRoot"))
        if non_root is not True and not in_user_namespace:
            yield f"{name}: runAsNonRoot"
        if own.get("runAsUser") == 0 and not in_user_namespace:
            yield f"{name}: runAsUser 0"
        profile = own.get("seccompProfile") or shared.get("seccompProfile") or {}
        if profile.get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{name}: seccompProfile {profile.get('type', '–')}"
        capabilities = own.get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or ()):
            yield f"{name}: capabilities.drop"
        for capability in capabilities.get("add") or ():
            if capability != "NET_BIND_SERVICE":
                yield f"{name}: capabilities.add {capability}"
