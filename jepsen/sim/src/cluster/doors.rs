//! Where the simulation's clients come in: the node behind the HTTP API, without the HTTP.

use std::sync::{Arc, Mutex};

use pinode::http::Backend;
use pinode::members::Founding;
use pinode::node::Doors;
use pinode::transport::Services;
use tokio::task::JoinSet;

use crate::world::lock;

/// The node, once it is there.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<Mutex<Option<Backend>>>);

impl Slot {
    pub(super) fn backend(&self) -> Option<Backend> {
        lock(&self.0).clone()
    }

    pub(super) fn clear(&self) {
        lock(&self.0).take();
    }
}

impl Doors for Slot {
    async fn wait(&mut self, _: Arc<Founding>) {
        std::future::pending().await
    }

    fn open(&mut self, backend: Backend, _: &Services, _: &mut JoinSet<()>) -> anyhow::Result<()> {
        lock(&self.0).replace(backend);
        Ok(())
    }
}
