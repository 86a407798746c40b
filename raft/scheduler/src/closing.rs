//! Every session is over at once: a state that was restored from a backup has no nodes any more.

use crate::command::{Command, Entry};
use crate::id::SessionId;
use crate::node::Ailment;
use crate::state::State;

impl State {
    /// Closes every session by entries from `index` + 1 on; answers the index of the last. What was claimed is lost and
    /// ready again, or of unknown end, as its policy says.
    pub fn close_all_sessions(&mut self, index: u64, at_ms: u64) -> u64 {
        let open: Vec<SessionId> =
            self.nodes.values().filter(|node| node.is_open()).map(|node| node.session_id()).collect();
        let problem = Some("it is gone with its cluster".to_owned());
        // First nobody takes anything: or what the first one had would be claimed by the next one, and lost again.
        let leave = |session: &SessionId| Command::NodeCondition {
            session: *session,
            ailment: Ailment::Leaving,
            problem: problem.clone(),
        };
        let lose = |session: &SessionId| Command::NodeLost { session: *session };
        let commands: Vec<Command> = open.iter().map(leave).chain(open.iter().map(lose)).collect();
        let mut last = index;
        for command in commands {
            last = last.saturating_add(1);
            self.apply(last, &Entry { at_ms, command });
        }
        last
    }
}
