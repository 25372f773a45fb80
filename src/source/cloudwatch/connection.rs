//! The SDK's client: Region, credentials, endpoint, TLS.
//!
//! In: the query's choices and the environment, by AWS's standard chain. Out: a
//! client that makes each call once: trying again is decided elsewhere, where every
//! attempt waits for its turn.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::retry::RetryConfig;
use aws_sdk_cloudwatchlogs::config::timeout::TimeoutConfig;
use aws_sdk_cloudwatchlogs::config::{Builder, RuntimeComponents, SharedHttpClient};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{ConnectorBuilder, tls};

use super::error::FetchError;
use super::query::Query;

/// A client that can be replaced when its credentials have run out.
pub(super) struct Connection {
    query: Query,
    region: String,
    current: RwLock<Current>,
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Current {
    client: Client,
    /// How many clients there were before.
    generation: u32,
}

impl Connection {
    /// Loads the configuration. Credentials are looked for at the first call.
    pub(super) async fn open(query: &Query) -> Result<Self, FetchError> {
        let config = load(query).await;
        let region = config.region().ok_or(FetchError::NoRegion)?.to_string();
        let current = Current { client: client(&config, query), generation: 0 };
        Ok(Self {
            query: query.clone(),
            region,
            current: RwLock::new(current),
            renewing: tokio::sync::Mutex::default(),
        })
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// The client, and its generation for [`renew`](Self::renew).
    pub(super) fn client(&self) -> (Client, u32) {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        (current.client, current.generation)
    }

    /// Loads the credentials anew, unless that was done since `generation`: a login
    /// renewed meanwhile, or a file that another program keeps fresh, is then seen.
    pub(super) async fn renew(&self, generation: u32) {
        let _alone = self.renewing.lock().await;
        if self.client().1 != generation {
            return;
        }
        let client = client(&load(&self.query).await, &self.query);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Current { client, generation: generation + 1 };
    }
}

async fn load(query: &Query) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(https());
    if let Some(region) = &query.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &query.profile {
        loader = loader.profile_name(profile);
    }
    if let Ok(name) = AppName::new("leastrole") {
        loader = loader.app_name(name);
    }
    loader.load().await
}

/// The endpoint of the query is for CloudWatch Logs alone, not for the services that
/// give the credentials.
fn client(config: &SdkConfig, query: &Query) -> Client {
    const CONNECT: Duration = Duration::from_secs(5);
    const ANSWER: Duration = Duration::from_mins(1);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(ANSWER)
        .operation_attempt_timeout(ANSWER * 2)
        .build();
    let mut builder =
        Builder::from(config).retry_config(RetryConfig::disabled()).timeout_config(timeouts);
    if let Some(url) = &query.endpoint_url {
        builder.set_endpoint_url(Some(url.clone()));
    }
    Client::from_conf(builder.build())
}

/// HTTPS by rustls on ring, through the environment's proxies, trusting the
/// system's certificates.
fn https() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_with_connector_fn(|settings, components| {
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let mut connector =
            ConnectorBuilder::default().tls_provider(ring).proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    })
}
