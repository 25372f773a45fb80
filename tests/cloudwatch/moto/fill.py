"""Fills moto with an EKS log group and prints: events, first time, time after the last."""

import json
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone

import boto3

URL = sys.argv[1]
GROUP = "/aws/eks/prod/cluster"
EVENTS = 1000


def wait_for_server():
    for _ in range(300):
        try:
            urllib.request.urlopen(URL + "/moto-api/", timeout=1).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    sys.exit("moto does not answer")


def audit_event(number, millis):
    stamp = stamp_of(millis)
    name = f"item-{number:05}"
    return json.dumps({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata",
        "auditID": f"{number:08}-0000-4000-8000-000000000000", "stage": "ResponseComplete",
        "requestURI": f"/api/v1/namespaces/shop/configmaps/{name}", "verb": "get",
        "user": {"username": "system:serviceaccount:shop:reader",
                 "groups": ["system:serviceaccounts", "system:authenticated"]},
        "sourceIPs": ["10.0.0.1"], "userAgent": "api/1.0",
        "objectRef": {"resource": "configmaps", "namespace": "shop", "name": name},
        "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": stamp, "stageTimestamp": stamp,
        "annotations": {"authorization.k8s.io/decision": "allow"},
    }, separators=(",", ":"))


def stamp_of(millis):
    moment = datetime.fromtimestamp(millis / 1000, timezone.utc)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def fill(region, first):
    logs = boto3.client("logs", endpoint_url=URL, region_name=region,
                        aws_access_key_id="x", aws_secret_access_key="x")
    logs.create_log_group(logGroupName=GROUP)
    streams = {
        "kube-apiserver-audit-0a1b2c3d4e5f60718293a4b5c6d7e8f9": range(0, 600),
        "kube-apiserver-audit-f9e8d7c6b5a493827160f5e4d3c2b1a0": range(600, EVENTS),
    }
    for stream, numbers in streams.items():
        put(logs, stream, [
            {"timestamp": first + number * 3000, "message": audit_event(number, first + number * 3000)}
            for number in numbers])
    # The API server's own log, in the same group.
    put(logs, "kube-apiserver-0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        [{"timestamp": first + 1, "message": "I0301 10:00:00.000000 1 controller.go:100] well"}])


def put(logs, stream, events):
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    for at in range(0, len(events), 200):
        answer = logs.put_log_events(
            logGroupName=GROUP, logStreamName=stream, logEvents=events[at:at + 200])
        assert "rejectedLogEventsInfo" not in answer, answer


def main():
    wait_for_server()
    # moto, as AWS, takes no event older than 14 days.
    first = (int(time.time()) - 24 * 3600) * 1000
    for region in ("us-east-1", "eu-west-3"):
        fill(region, first)
    print(EVENTS, stamp_of(first), stamp_of(first + EVENTS * 3000))


main()
