//! What one event proves, denies or leaves open.

use std::fmt;

use smol_str::SmolStr;

use crate::rbac::Atom;

/// Whose permission a conclusion is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Who authenticated: the impersonator, where there is one.
    Caller,
    /// Who was authorized: the impersonated user, else the caller.
    Subject,
    /// The user that an access review asked about.
    Reviewed {
        /// The reviewed username.
        username: String,
    },
}

/// One thing an event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// A permission without which the request would have been refused.
    Need {
        /// Who needs it.
        who: Who,
        /// The permission.
        atom: Atom,
        /// How the event proves it.
        basis: Basis,
    },
    /// A permission that the authorizer refused to the subject.
    Denied(Atom),
    /// A permission that may be needed but that this event cannot prove.
    Advice(Who, Advice),
    /// An admission policy takes parameters of this kind.
    ParamKind(ParamKind),
    /// A binding of an admission policy refers to parameters whose kind only the policy tells.
    ParamRef(ParamRef),
}

/// The parameters that an admission policy takes (`spec.paramKind`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamKind {
    /// The policy, as `resource/name`.
    pub policy: SmolStr,
    /// The API group of the parameters.
    pub group: SmolStr,
    /// Their resource.
    pub resource: SmolStr,
}

/// The parameters that a binding of an admission policy refers to (`spec.paramRef`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamRef {
    /// The policy, as `resource/name`.
    pub policy: SmolStr,
    /// The namespace of the parameters; empty for all.
    pub namespace: SmolStr,
    /// One parameter object, or empty for a selector.
    pub name: SmolStr,
}

/// How an event proves a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Basis {
    /// The authorizer was asked exactly this and allowed it.
    Logged,
    /// A PUT or server-side apply answered 201: `create` was checked too.
    CreateOnUpdate,
    /// A websocket exec, attach or portforward: `create` is checked too from Kubernetes 1.35.
    WebsocketUpgrade,
    /// The caller impersonated.
    Impersonation,
    /// A certificate was approved or signed, or a trust bundle attested.
    Signer,
    /// A role was bound.
    Bind,
    /// Rules were written into a role: the writer must hold them.
    HeldToGrant,
    /// A delete went on in spite of an unreadable object.
    UnsafeDelete,
    /// An admission policy with parameters was written.
    PolicyParameter,
    /// The status of a resource claim was written: checked from Kubernetes 1.36.
    ResourceClaim,
    /// An owner reference that blocks deletion was written.
    OwnerReference,
    /// The kubelet asked the API server on the subject's behalf.
    Delegated,
}

impl Basis {
    /// Every basis, in order.
    pub const ALL: [Self; 12] = [
        Self::Logged,
        Self::CreateOnUpdate,
        Self::WebsocketUpgrade,
        Self::Impersonation,
        Self::Signer,
        Self::Bind,
        Self::HeldToGrant,
        Self::UnsafeDelete,
        Self::PolicyParameter,
        Self::ResourceClaim,
        Self::OwnerReference,
        Self::Delegated,
    ];

    /// A stable word for output.
    pub fn label(self) -> &'static str {
        match self {
            Self::Logged => "logged",
            Self::CreateOnUpdate => "create-on-update",
            Self::WebsocketUpgrade => "websocket-upgrade",
            Self::Impersonation => "impersonation",
            Self::Signer => "signer",
            Self::Bind => "bind",
            Self::HeldToGrant => "held-to-grant",
            Self::UnsafeDelete => "unsafe-delete",
            Self::PolicyParameter => "policy-parameter",
            Self::ResourceClaim => "resource-claim",
            Self::OwnerReference => "owner-reference",
            Self::Delegated => "delegated",
        }
    }

    /// The first Kubernetes minor version (1.x) that makes this check; 0 for all.
    pub fn since_minor(self) -> u32 {
        match self {
            Self::WebsocketUpgrade => 35,
            Self::ResourceClaim => 36,
            _ => 0,
        }
    }
}

/// A permission that may be missing, for a person to decide on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Advice {
    /// What it is about.
    pub code: AdviceCode,
    /// The request behind it, readable.
    pub about: SmolStr,
    /// What would settle it; alternatives where there are several. May be empty.
    pub wanted: Vec<Atom>,
}

/// The kinds of advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AdviceCode {
    /// A role was written whose rules must be held, and they are unknown or too broad to grant unasked.
    HoldOrEscalate,
    /// A binding was written whose role is unknown.
    BindRole,
    /// A certificate was approved whose signer is unknown.
    ApproveSigner,
    /// A certificate was signed whose signer is unknown.
    SignSigner,
    /// A trust bundle was written whose signer is unknown.
    AttestSigner,
    /// An admission policy was written whose parameter kind is unknown.
    ParamKind,
    /// A policy binding was written whose parameters are unknown.
    ParamRef,
    /// The status of a resource claim was written and what changed is unknown.
    ClaimStatus,
    /// An object was written whose owner references are unknown, and rights on them are enforced.
    OwnerReferences,
    /// An update or apply was refused the `create` behind it.
    CreateOnUpdateRefused,
    /// A websocket request was refused the `create` behind it.
    WebsocketCreateRefused,
    /// A role or binding write was refused by the escalation check.
    EscalationRefused,
    /// A signer was refused.
    SignerRefused,
    /// An impersonation was refused.
    ImpersonationRefused,
    /// An HTTP method that has no RBAC verb: only a rule with verb `*` allows it.
    EmptyVerb,
    /// A `*` in the request that a rule would read as everything.
    LiteralWildcard,
    /// An empty name that a rule would read as every name.
    EmptyName,
    /// A namespace that cannot exist.
    ImpossibleNamespace,
    /// A URI that no rule can name.
    MalformedUri,
    /// Another server authorizes this identity through an access review.
    ReviewedElsewhere,
}

impl AdviceCode {
    /// The stable kebab-case code.
    pub fn label(self) -> &'static str {
        match self {
            Self::HoldOrEscalate => "hold-or-escalate",
            Self::BindRole => "bind-role",
            Self::ApproveSigner => "approve-signer",
            Self::SignSigner => "sign-signer",
            Self::AttestSigner => "attest-signer",
            Self::ParamKind => "param-kind",
            Self::ParamRef => "param-ref",
            Self::ClaimStatus => "claim-status",
            Self::OwnerReferences => "owner-references",
            Self::CreateOnUpdateRefused => "create-on-update-refused",
            Self::WebsocketCreateRefused => "websocket-create-refused",
            Self::EscalationRefused => "escalation-refused",
            Self::SignerRefused => "signer-refused",
            Self::ImpersonationRefused => "impersonation-refused",
            Self::EmptyVerb => "empty-verb",
            Self::LiteralWildcard => "literal-wildcard",
            Self::EmptyName => "empty-name",
            Self::ImpossibleNamespace => "impossible-namespace",
            Self::MalformedUri => "malformed-uri",
            Self::ReviewedElsewhere => "reviewed-elsewhere",
        }
    }

    /// What it means and what to do, for a reader who has never met it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::HoldOrEscalate => {
                "whoever writes a role must hold its rules or have `escalate`; they are not in the log \
                 or too broad to grant unasked: bind the writer to a role with exactly those rules"
            }
            Self::BindRole => {
                "whoever binds a role must hold its rules or have `bind` on it; the role is not in the \
                 log: grant `bind` on it by name"
            }
            Self::ApproveSigner => {
                "approving a certificate needs `approve` on its signer, which is not in the log"
            }
            Self::SignSigner => {
                "signing a certificate needs `sign` on its signer, which is not in the log"
            }
            Self::AttestSigner => {
                "writing a trust bundle needs `attest` on its signer, which is not in the log"
            }
            Self::ParamKind => {
                "whoever writes an admission policy must be able to `get` its parameters, whose kind is \
                 not in the log"
            }
            Self::ParamRef => {
                "whoever binds an admission policy must be able to read its parameters, whose kind or \
                 name is not in the log"
            }
            Self::ClaimStatus => {
                "writing allocation, reservation or devices of a claim is checked apart from Kubernetes \
                 1.36; what changed is not in the log"
            }
            Self::OwnerReferences => {
                "if the write set owner references, it needed `delete` on the object, and `update` on \
                 the finalizers of owners that it blocks; they are not in the log"
            }
            Self::CreateOnUpdateRefused => {
                "the object did not exist and `create` was refused; grant it only if the caller should \
                 create what it updates"
            }
            Self::WebsocketCreateRefused => {
                "from Kubernetes 1.35 websocket requests also need `create`, which was refused"
            }
            Self::EscalationRefused => {
                "the caller tried to grant more than it holds; nothing is granted for that"
            }
            Self::SignerRefused => {
                "the caller may not use this signer; nothing is granted for that"
            }
            Self::ImpersonationRefused => "impersonation was refused; nothing is granted for that",
            Self::EmptyVerb => {
                "the HTTP method has no RBAC verb, so only a rule with verb `*` allows it; not granted"
            }
            Self::LiteralWildcard => {
                "the request spells out a `*`, which a rule would read as everything; not granted"
            }
            Self::EmptyName => {
                "what was impersonated is empty, and a rule without names would allow all of its \
                 kind; not granted"
            }
            Self::ImpossibleNamespace => {
                "no namespace can have this name, so no Role can be made for it"
            }
            Self::MalformedUri => "the URI names no resource, so no rule can allow it",
            Self::ReviewedElsewhere => {
                "another server asks the API server whether this identity may do this (for example a \
                 metrics endpoint behind a proxy), so its requests never show as its own; grant it if \
                 that access is wanted"
            }
        }
    }
}

impl fmt::Display for AdviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
