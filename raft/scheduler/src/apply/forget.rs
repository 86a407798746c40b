//! `ForgetRequests`: a day has passed and many requests came after these.

use super::Step;
use crate::reply::Reply;

impl Step<'_> {
    pub(super) fn forget_requests(&mut self, up_to: u64) -> Reply {
        let kept = self.state.request_order.split_off(&up_to.saturating_add(1));
        let forgotten = std::mem::replace(&mut self.state.request_order, kept);
        for key in forgotten.values() {
            self.state.requests.remove(key);
        }
        Reply::Done
    }
}
