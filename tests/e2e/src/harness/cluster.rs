//! Starts etcd and kube-apiserver, and on request kube-controller-manager, in a folder of their own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::assets::Assets;
use super::audit_log::AuditLog;
use super::authority::Authority;
use super::client::Client;
use super::http::Endpoint;
use super::identity::{Identities, Identity};
use super::process::Process;
use super::recorder::Recorder;
use super::webhook::Webhook;

/// A loaded machine takes a minute; what takes longer is broken.
const START: Duration = Duration::from_mins(3);

/// What the server writes to its audit log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditPolicy {
    /// Level `Metadata` for everything, all stages.
    #[default]
    Metadata,
    /// The policy that Amazon EKS documents for its control plane.
    Eks,
}

/// Who decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authorizers {
    /// RBAC alone.
    #[default]
    Rbac,
    /// A webhook that records every question and has no opinion, then RBAC.
    RecorderThenRbac,
}

/// How a cluster is started; the default is kube-apiserver with its default flags.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What is logged.
    pub audit: AuditPolicy,
    /// Who decides.
    pub authorizers: Authorizers,
    /// Further flags of kube-apiserver.
    pub flags: Vec<String>,
}

/// A running control plane. Dropping it ends every process and removes the folder.
// Fields are dropped in this order: clients of a process before the process.
pub struct Cluster {
    controllers: Option<Process>,
    apiserver: Process,
    etcd: Process,
    _webhook: Webhook,
    authority: Authority,
    identities: Arc<Identities>,
    recorder: Arc<Recorder>,
    endpoint: Endpoint,
    assets: Assets,
    folder: TempDir,
}

impl Cluster {
    /// Starts etcd and kube-apiserver and waits until the latter is ready.
    pub fn start(assets: &Assets, settings: &Settings) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("leastrole-e2e-").tempdir()?;
        let authority = Authority::create(folder.path())?;
        let identities = Arc::new(Identities::default());
        let recorder = Arc::new(Recorder::default());
        let webhook = Webhook::start(&identities, &recorder)?;
        write_policies(folder.path(), settings.audit)?;
        write_webhook_configs(folder.path(), webhook.address)?;

        let [etcd_port, peer_port, port] = free_ports()?;
        let etcd_args = etcd_args(folder.path(), etcd_port, peer_port);
        let etcd = Process::start(&assets.binary("etcd"), &etcd_args, folder.path())?;
        let args = apiserver_args(&authority, folder.path(), etcd_port, port, settings);
        let apiserver = Process::start(&assets.binary("kube-apiserver"), &args, folder.path())?;
        let endpoint = Endpoint { address: loopback(port), tls: authority.client_config()? };
        let mut cluster = Self {
            controllers: None,
            apiserver,
            etcd,
            _webhook: webhook,
            authority,
            identities,
            recorder,
            endpoint,
            assets: assets.clone(),
            folder,
        };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// Starts kube-controller-manager with the given controllers (`*` for the default set),
    /// each under its own service account.
    pub fn start_controllers(&mut self, controllers: &str) -> Result<()> {
        let token = self.identities.token(&Identity::user("system:kube-controller-manager"));
        let config = self.write_kubeconfig("controllers.kubeconfig", &token)?;
        let args = [
            format!("--kubeconfig={config}"),
            format!("--controllers={controllers}"),
            format!("--root-ca-file={}", self.authority.file("ca.crt")),
            format!("--cluster-signing-cert-file={}", self.authority.file("ca.crt")),
            format!("--cluster-signing-key-file={}", self.authority.file("ca.key")),
            format!(
                "--service-account-private-key-file={}",
                self.authority.file("service-account.key")
            ),
            "--use-service-account-credentials".into(),
            "--leader-elect=false".into(),
            "--secure-port=0".into(),
            // What they do only after a while should be done in any run.
            "--horizontal-pod-autoscaler-sync-period=1s".into(),
            "--pvclaimbinder-sync-period=1s".into(),
            "--node-monitor-period=1s".into(),
            "--node-monitor-grace-period=3s".into(),
            "--node-startup-grace-period=3s".into(),
        ];
        let program = self.assets.binary("kube-controller-manager");
        self.controllers = Some(Process::start(&program, &args, self.folder.path())?);
        Ok(())
    }

    /// A caller in `system:masters`.
    pub fn admin(&self) -> Client {
        self.client(&Identity::user("kubernetes-super-admin").in_group("system:masters"))
    }

    /// A caller with the given identity.
    pub fn client(&self, identity: &Identity) -> Client {
        self.client_with_token(&self.identities.token(identity))
    }

    /// A caller with a token that the server itself gave out, or any other.
    pub fn client_with_token(&self, token: &str) -> Client {
        Client::new(&self.endpoint, token)
    }

    /// The tokens given out so far.
    pub fn identities(&self) -> &Identities {
        &self.identities
    }

    /// What the authorizer was asked; empty unless the settings put the recorder in place.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Where kube-apiserver listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The certificate of the cluster's own authority, a PEM file.
    pub fn certificate(&self) -> PathBuf {
        self.authority.file("ca.crt").into()
    }

    /// The audit log from its beginning.
    pub fn audit_log(&self) -> AuditLog {
        AuditLog::at(&self.folder.path().join("audit.log"))
    }

    /// An error with the end of its log where a process has ended by itself.
    pub fn check_running(&mut self) -> Result<()> {
        self.etcd.check_running()?;
        self.apiserver.check_running()?;
        self.controllers.as_mut().map_or(Ok(()), Process::check_running)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START;
        loop {
            self.check_running()?;
            // Refused connections are what a starting server gives.
            if self.admin().get("/readyz").is_ok_and(|reply| reply.status == 200) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("kube-apiserver is not ready:\n{}", self.apiserver.log_tail());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn write_kubeconfig(&self, name: &str, token: &str) -> Result<String> {
        let cluster = json!({
            "server": format!("https://{}", self.endpoint.address),
            "certificate-authority": self.authority.file("ca.crt"),
        });
        write_config(self.folder.path(), name, &cluster, &json!({ "token": token }))?;
        Ok(self.folder.path().join(name).display().to_string())
    }
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Ports that were free a moment ago; all held at once, so that they differ.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener = TcpListener::bind(loopback(0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

fn write_policies(folder: &Path, audit: AuditPolicy) -> Result<()> {
    let policy = match audit {
        AuditPolicy::Metadata => include_str!("../../testdata/metadata-audit-policy.yaml"),
        AuditPolicy::Eks => include_str!("../../testdata/eks-audit-policy.yaml"),
    };
    fs::write(folder.join("audit-policy.yaml"), policy).context("cannot write the audit policy")
}

fn write_webhook_configs(folder: &Path, address: SocketAddr) -> Result<()> {
    for name in ["authenticate", "authorize"] {
        let cluster = json!({ "server": format!("http://{address}/{name}") });
        write_config(folder, &format!("{name}.kubeconfig"), &cluster, &json!({}))?;
    }
    Ok(())
}

/// A kubeconfig with one cluster and one user. JSON is YAML.
fn write_config(folder: &Path, name: &str, cluster: &Value, user: &Value) -> Result<()> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "e2e", "cluster": cluster }],
        "users": [{ "name": "e2e", "user": user }],
        "contexts": [{ "name": "e2e", "context": { "cluster": "e2e", "user": "e2e" } }],
        "current-context": "e2e",
    });
    fs::write(folder.join(name), config.to_string()).with_context(|| format!("cannot write {name}"))
}

fn etcd_args(folder: &Path, port: u16, peer_port: u16) -> Vec<String> {
    let data: PathBuf = folder.join("etcd");
    let client = format!("http://{}", loopback(port));
    let peer = format!("http://{}", loopback(peer_port));
    vec![
        format!("--data-dir={}", data.display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
    ]
}

fn apiserver_args(
    authority: &Authority,
    folder: &Path,
    etcd_port: u16,
    port: u16,
    settings: &Settings,
) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    let mut args = vec![
        format!("--etcd-servers=http://{}", loopback(etcd_port)),
        format!("--secure-port={port}"),
        "--bind-address=127.0.0.1".into(),
        "--advertise-address=127.0.0.1".into(),
        // A loopback address is no valid endpoint of the kubernetes Service.
        "--endpoint-reconciler-type=none".into(),
        "--service-cluster-ip-range=10.96.0.0/16".into(),
        format!("--tls-cert-file={}", authority.file("server.crt")),
        format!("--tls-private-key-file={}", authority.file("server.key")),
        format!("--client-ca-file={}", authority.file("ca.crt")),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        format!("--service-account-key-file={}", authority.file("service-account.pub")),
        format!("--service-account-signing-key-file={}", authority.file("service-account.key")),
        format!("--authentication-token-webhook-config-file={}", file("authenticate.kubeconfig")),
        "--authentication-token-webhook-version=v1".into(),
        format!("--audit-policy-file={}", file("audit-policy.yaml")),
        format!("--audit-log-path={}", file("audit.log")),
        // In megabytes: never begun anew, since it is read on from where it was read last.
        "--audit-log-maxsize=1000000".into(),
    ];
    match settings.authorizers {
        Authorizers::Rbac => args.push("--authorization-mode=RBAC".into()),
        Authorizers::RecorderThenRbac => args.extend([
            "--authorization-mode=Webhook,RBAC".into(),
            format!("--authorization-webhook-config-file={}", file("authorize.kubeconfig")),
            "--authorization-webhook-version=v1".into(),
            // Not zero, which means the default; nothing may be answered from memory.
            "--authorization-webhook-cache-unauthorized-ttl=1ns".into(),
        ]),
    }
    args.extend(settings.flags.iter().cloned());
    args
}
