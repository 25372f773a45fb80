//! The controller itself, written as kube-rs means it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use futures::StreamExt;
use futures::channel::oneshot::Receiver;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::Controller;
use kube::runtime::controller::Action;
use kube::runtime::events::{Event as Report, EventType, Recorder, Reporter};
use kube::runtime::finalizer::{Error as FinalizerError, Event, finalizer};
use kube::runtime::watcher;
use kube::{Client, Config, Resource, ResourceExt};
use serde_json::json;

type Failure = FinalizerError<kube::Error>;

struct Operator {
    client: Client,
    resource: ApiResource,
    recorder: Recorder,
}

/// Runs until it is told to stop.
pub(super) fn run(config: Config, stop: Receiver<()>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(operate(config, stop))
}

async fn operate(config: Config, stop: Receiver<()>) -> Result<()> {
    let client = Client::try_from(config)?;
    // Without the lease it goes on: what it is refused is in the log.
    let _ = take_lease(&client).await;
    let kind = GroupVersionKind::gvk("e2e.example.com", "v1", "Widget");
    let resource = ApiResource::from_gvk(&kind);
    let reporter = Reporter { controller: "operator".into(), instance: None };
    let operator = Arc::new(Operator {
        client: client.clone(),
        resource: resource.clone(),
        recorder: Recorder::new(client.clone(), reporter),
    });
    let widgets: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let children: Api<ConfigMap> = Api::namespaced(client, "shop");
    Controller::new_with(widgets, watcher::Config::default(), resource)
        .owns(children, watcher::Config::default())
        .graceful_shutdown_on(async move {
            // Dropped or sent, it means the same.
            let _ = stop.await;
        })
        .run(reconcile, |_, _, _| Action::requeue(Duration::from_secs(1)), operator)
        .for_each(|_| async {})
        .await;
    Ok(())
}

/// Leader election as everybody does it: look, create, renew.
async fn take_lease(client: &Client) -> Result<(), kube::Error> {
    let leases: Api<Lease> = Api::namespaced(client.clone(), "shop");
    let mut lease = Lease::default();
    lease.metadata.name = Some("operator".into());
    if leases.get_opt("operator").await?.is_none() {
        leases.create(&PostParams::default(), &lease).await?;
    }
    let mut lease = leases.get("operator").await?;
    lease.spec.get_or_insert_default().holder_identity = Some("operator-0".into());
    leases.replace("operator", &PostParams::default(), &lease).await?;
    Ok(())
}

async fn reconcile(widget: Arc<DynamicObject>, operator: Arc<Operator>) -> Result<Action, Failure> {
    let namespace = widget.namespace().unwrap_or_default();
    let widgets: Api<DynamicObject> =
        Api::namespaced_with(operator.client.clone(), &namespace, &operator.resource);
    finalizer(&widgets, "e2e.example.com/cleanup", widget, |event| async {
        match event {
            Event::Apply(widget) => operator.apply(&widgets, &widget).await,
            Event::Cleanup(widget) => operator.clean_up(&widget).await,
        }
    })
    .await
}

impl Operator {
    async fn apply(
        &self,
        widgets: &Api<DynamicObject>,
        widget: &DynamicObject,
    ) -> Result<Action, kube::Error> {
        let name = widget.name_any();
        let children: Api<ConfigMap> = Api::namespaced(self.client.clone(), "shop");
        let child = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": { "size": "1" },
            "metadata": { "name": name,
                          "ownerReferences": [widget.controller_owner_ref(&self.resource)] },
        });
        let parameters = PatchParams::apply("operator").force();
        children.patch(&name, &parameters, &Patch::Apply(child)).await?;
        if widget.data["status"]["ready"] != true {
            let status = Patch::Merge(json!({ "status": { "ready": true } }));
            widgets.patch_status(&name, &PatchParams::default(), &status).await?;
            self.report(widget, "Ready").await?;
        }
        Ok(Action::await_change())
    }

    async fn clean_up(&self, widget: &DynamicObject) -> Result<Action, kube::Error> {
        let children: Api<ConfigMap> = Api::namespaced(self.client.clone(), "shop");
        children.delete(&widget.name_any(), &DeleteParams::default()).await?;
        self.report(widget, "Removed").await?;
        Ok(Action::await_change())
    }

    async fn report(&self, widget: &DynamicObject, reason: &str) -> Result<(), kube::Error> {
        let report = Report {
            type_: EventType::Normal,
            reason: reason.into(),
            note: None,
            action: "Reconcile".into(),
            secondary: None,
        };
        self.recorder.publish(&report, &widget.object_ref(&self.resource)).await
    }
}
