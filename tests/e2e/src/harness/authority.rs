//! The certificates and keys of one cluster, made anew for each.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{ClientConfig, RootCertStore};

/// A certificate authority with the server certificate and the service-account key it made.
pub(super) struct Authority {
    folder: PathBuf,
    root: RootCertStore,
}

impl Authority {
    /// Writes `ca.crt`, `ca.key`, `server.crt`, `server.key`,
    /// `service-account.key` and `service-account.pub`.
    pub(super) fn create(folder: &Path) -> Result<Self> {
        let ca_key = KeyPair::generate()?;
        let ca_params = ca_params()?;
        let ca = ca_params.self_signed(&ca_key)?;
        let ca_key_pem = ca_key.serialize_pem();
        let issuer = Issuer::new(ca_params, ca_key);
        let server_key = KeyPair::generate()?;
        let server = server_params()?.signed_by(&server_key, &issuer)?;

        let mut root = RootCertStore::empty();
        root.add(ca.der().clone())?;
        let write = |name: &str, pem: String| fs::write(folder.join(name), pem);
        write("ca.crt", ca.pem())?;
        write("ca.key", ca_key_pem)?;
        write("server.crt", server.pem())?;
        write("server.key", server_key.serialize_pem())?;
        let account_key = KeyPair::generate()?;
        write("service-account.key", account_key.serialize_pem())?;
        write("service-account.pub", account_key.public_key_pem())?;
        Ok(Self { folder: folder.to_owned(), root })
    }

    /// The path of one of the files above.
    pub(super) fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Trusts this authority and nothing else.
    pub(super) fn client_config(&self) -> Result<Arc<ClientConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.root.clone())
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

fn ca_params() -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "leastrole-e2e");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
    Ok(params)
}

fn server_params() -> Result<CertificateParams> {
    let mut params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()])?;
    params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}
