//! Which permissions are dangerous by themselves. The list follows the good practices of
//! the Kubernetes documentation for RBAC, and adds what EKS makes of the aws-auth `ConfigMap`.

use super::Code;

/// Permissions that make up a risk.
pub(super) struct Risk {
    pub(super) code: Code,
    pub(super) group: &'static str,
    pub(super) resources: &'static [&'static str],
    pub(super) verbs: &'static [&'static str],
    /// When a rule must reach for it to count.
    pub(super) reach: Reach,
}

/// How far a rule must reach.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Any rule, with or without names, wherever it is bound.
    Any,
    /// Only without names: one named object is a choice.
    AnyName,
    /// Only in the whole cluster: elsewhere it is inert.
    Cluster,
    /// The whole cluster, without names.
    ClusterAnyName,
    /// The aws-auth `ConfigMap` of kube-system.
    AwsAuth,
}

const CORE: &str = "";
const RBAC: &str = "rbac.authorization.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";
const WRITE: &[&str] = &["create", "update", "patch"];
const CHANGE: &[&str] = &["update", "patch"];
const IMPERSONATE: &[&str] = &[
    "impersonate",
    "impersonate:user-info",
    "impersonate:serviceaccount",
    "impersonate:arbitrary-node",
    "impersonate:associated-node",
];

const fn risk(
    code: Code,
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    reach: Reach,
) -> Risk {
    Risk { code, group, resources, verbs, reach }
}

/// All of them; a code may stand for several lines.
pub(super) const RISKS: &[Risk] = &[
    risk(Code::RiskSecretsRead, CORE, &["secrets"], &["get", "list", "watch"], Reach::AnyName),
    risk(Code::RiskWorkloadCreate, CORE, &["pods"], &["create"], Reach::Any),
    risk(Code::RiskWorkloadCreate, CORE, &["replicationcontrollers"], WRITE, Reach::Any),
    risk(
        Code::RiskWorkloadCreate,
        "apps",
        &["daemonsets", "deployments", "replicasets", "statefulsets"],
        WRITE,
        Reach::Any,
    ),
    risk(Code::RiskWorkloadCreate, "batch", &["cronjobs", "jobs"], WRITE, Reach::Any),
    risk(
        Code::RiskPodExec,
        CORE,
        &["pods/attach", "pods/exec", "pods/portforward"],
        &["create", "get"],
        Reach::Any,
    ),
    risk(Code::RiskPodExec, CORE, &["pods/ephemeralcontainers"], CHANGE, Reach::Any),
    risk(Code::RiskTokenCreate, CORE, &["serviceaccounts/token"], &["create"], Reach::Any),
    risk(Code::RiskImpersonate, CORE, &["serviceaccounts"], IMPERSONATE, Reach::Any),
    risk(Code::RiskImpersonate, CORE, &["groups", "users"], IMPERSONATE, Reach::Cluster),
    risk(
        Code::RiskImpersonate,
        "authentication.k8s.io",
        &["groups", "nodes", "serviceaccounts", "uids", "users"],
        IMPERSONATE,
        Reach::Cluster,
    ),
    risk(Code::RiskEscalate, RBAC, &["clusterroles", "roles"], &["bind", "escalate"], Reach::Any),
    risk(Code::RiskRbacWrite, RBAC, &["rolebindings", "roles"], WRITE, Reach::Any),
    risk(
        Code::RiskRbacWrite,
        RBAC,
        &["clusterrolebindings", "clusterroles"],
        WRITE,
        Reach::Cluster,
    ),
    risk(
        Code::RiskNodesProxy,
        CORE,
        &["nodes/proxy"],
        &["get", "create", "update", "patch", "delete"],
        Reach::Cluster,
    ),
    risk(
        Code::RiskNodeWrite,
        CORE,
        &["nodes", "nodes/status"],
        &["create", "update", "patch", "delete", "deletecollection"],
        Reach::Cluster,
    ),
    risk(
        Code::RiskCertificateApprove,
        CERTIFICATES,
        &["certificatesigningrequests/approval", "certificatesigningrequests/status"],
        CHANGE,
        Reach::Cluster,
    ),
    risk(
        Code::RiskCertificateApprove,
        CERTIFICATES,
        &["signers"],
        &["approve", "attest", "sign"],
        Reach::Cluster,
    ),
    risk(
        Code::RiskAdmissionWrite,
        "admissionregistration.k8s.io",
        &[
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        ],
        &["create", "update", "patch", "delete", "deletecollection"],
        Reach::Cluster,
    ),
    risk(
        Code::RiskAdmissionWrite,
        "apiregistration.k8s.io",
        &["apiservices"],
        WRITE,
        Reach::Cluster,
    ),
    risk(
        Code::RiskPersistentVolumeCreate,
        CORE,
        &["persistentvolumes"],
        &["create"],
        Reach::Cluster,
    ),
    risk(Code::RiskNamespaceWrite, CORE, &["namespaces"], CHANGE, Reach::ClusterAnyName),
    risk(Code::RiskAwsAuthWrite, CORE, &["configmaps"], CHANGE, Reach::AwsAuth),
];
