//! Which callers are the control plane's own: Kubernetes components, nodes, and the
//! users under which EKS itself works. In: a username. Out: yes or no. The lists
//! stand here and nowhere else.
//!
//! Add-ons that run as ordinary pods in `kube-system` (DNS, the VPC CNI, CSI
//! drivers) are workloads: their roles belong to whoever installed them.

/// Whether the control plane itself, and no workload or person, calls under this username.
///
/// Kubernetes keeps the prefix `system:` for its own components, EKS refuses both
/// `system:` and `eks:` as usernames of access entries. Only the legacy `aws-auth`
/// could map an IAM role onto such a name.
pub fn is_control_plane(username: &str) -> bool {
    match username.strip_prefix(SERVICE_ACCOUNT) {
        Some(account) => account.strip_prefix("kube-system:").is_some_and(is_controller),
        None => username.starts_with("system:") || username.starts_with("eks:"),
    }
}

fn is_controller(name: &str) -> bool {
    CONTROLLERS.binary_search(&name).is_ok()
}

const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// Service accounts of kube-controller-manager and of the AWS cloud controllers, sorted.
///
/// The names are those that `--use-service-account-credentials` gives the controllers;
/// their default roles are called `system:controller:NAME`.
const CONTROLLERS: &[&str] = &[
    "attachdetach-controller",
    "bootstrap-signer",
    "certificate-controller",
    "cloud-provider",
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemon-set-controller",
    "deployment-controller",
    "device-taint-eviction-controller",
    "disruption-controller",
    "endpoint-controller",
    "endpointslice-controller",
    "endpointslicemirroring-controller",
    "ephemeral-volume-controller",
    "expand-controller",
    "generic-garbage-collector",
    "horizontal-pod-autoscaler",
    "job-controller",
    "legacy-service-account-token-cleaner",
    "namespace-controller",
    "node-controller",
    "persistent-volume-binder",
    "pod-garbage-collector",
    "podcheckpoint-controller",
    "pv-protection-controller",
    "pvc-protection-controller",
    "replicaset-controller",
    "replication-controller",
    "resource-claim-controller",
    "resourcequota-controller",
    "root-ca-cert-publisher",
    "route-controller",
    "selinux-warning-controller",
    "service-account-controller",
    "service-cidrs-controller",
    "service-controller",
    "statefulset-controller",
    "storage-version-migrator-controller",
    "tagging-controller",
    "taint-eviction-controller",
    "token-cleaner",
    "ttl-after-finished-controller",
    "ttl-controller",
    "validatingadmissionpolicy-status-controller",
    "volumeattributesclass-protection-controller",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_plane_is_told_from_workloads() {
        let cases = [
            ("system:apiserver", true),
            ("system:kube-controller-manager", true),
            ("system:kube-proxy", true),
            ("system:anonymous", true),
            ("system:node:ip-10-0-1-17.eu-west-1.compute.internal", true),
            ("eks:node-manager", true),
            ("eks:support-engineer", true),
            ("system:serviceaccount:kube-system:deployment-controller", true),
            ("system:serviceaccount:kube-system:generic-garbage-collector", true),
            ("system:serviceaccount:kube-system:tagging-controller", true),
            ("system:serviceaccount:kube-system:coredns", false),
            ("system:serviceaccount:kube-system:aws-node", false),
            ("system:serviceaccount:kube-system:ebs-csi-controller-sa", false),
            ("system:serviceaccount:kube-system:default", false),
            ("system:serviceaccount:kube-system:", false),
            ("system:serviceaccount:shop:deployment-controller", false),
            ("system:serviceaccount:kube-system-2:node-controller", false),
            ("system:serviceaccount:eks:node-manager", false),
            ("kubernetes-admin", false),
            ("arn:aws:iam::111122223333:user/eks:admin", false),
            ("eks", false),
            ("eksadmin", false),
            ("System:apiserver", false),
            ("", false),
        ];
        for (username, expected) in cases {
            assert_eq!(is_control_plane(username), expected, "{username:?}");
        }
    }

    #[test]
    fn every_listed_controller_is_found() {
        assert!(CONTROLLERS.is_sorted());
        for name in CONTROLLERS {
            assert!(is_controller(name), "{name}");
        }
    }
}
