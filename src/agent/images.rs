//! Where an image may come from that this node's engine does not have.

use futures_util::future::BoxFuture;

/// Brings images to this node's engine.
pub trait ImageSource: Send + Sync + 'static {
    /// Brings one, from wherever it can be had. `doing` is told a sentence before each try; an error is one, too.
    fn bring<'a>(
        &'a self,
        image: &'a str,
        doing: &'a (dyn Fn(String) + Send + Sync),
    ) -> BoxFuture<'a, Result<(), String>>;
}
