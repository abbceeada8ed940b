#!/usr/bin/bash
# Greenboot runs this after a start to check the image. It only checks: nothing here starts, stops or fixes
# anything. If it fails on three consecutive starts, the machine returns to the previous image.
set -uo pipefail

readonly namespace=brakepoint-train
readonly limit_s=1200  # The first TensorRT engine takes minutes.
export KUBECONFIG=/var/lib/microshift/resources/kubeadmin/kubeconfig

fail() { echo "brakepoint: $1" >&2; exit 1; }

systemctl is-active --quiet bluetooth || fail "bluetoothd does not run"
[ -S /run/dbus/system_bus_socket ] || fail "there is no system bus"
[ -S /tmp/argus_socket ] || fail "nvargus-daemon has opened no socket"
getent passwd brakepoint >/dev/null || fail "there is no user brakepoint, so the bus keeps the hub from the pods"
vgs brakepoint >/dev/null 2>&1 || fail "there is no volume group brakepoint for the detector's engine"

for ((waited_s = 0; waited_s < limit_s; waited_s += 10)); do
    services=$(oc get deployments --namespace "$namespace" --output name 2>/dev/null)
    if [ -n "$services" ] && oc wait --namespace "$namespace" --for condition=Available --timeout 1s $services \
            >/dev/null 2>&1; then
        exit 0
    fi
    sleep 10
done
# A train that isn't switched on is not a fault of the image: only its own pod may be waiting.
missing=$(oc get deployments --namespace "$namespace" --no-headers 2>/dev/null | awk '$4 < 1 && $1 != "train" { print $1 }')
[ -z "$missing" ] && [ -n "${services:-}" ] && exit 0
fail "not ready after $limit_s s: ${missing:-everything}"
