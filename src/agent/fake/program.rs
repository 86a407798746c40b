//! What a container does once it is started.

use std::time::Duration;

use super::super::runtime::RuntimeError;

/// The code of a shell whose child was ended by SIGKILL, and by SIGTERM.
const KILLED: i64 = 137;
const TERMINATED: i64 = 143;

/// A scripted program. Begins as one that runs for ever and ends at once when it is told to.
#[derive(Clone, Debug)]
pub struct Program {
    /// None: until it is ended.
    pub(super) length: Option<Duration>,
    pub(super) code: i64,
    pub(super) oom: bool,
    pub(super) healthy_after: Option<Duration>,
    /// What SIGTERM makes it exit with; none: it does not listen.
    pub(super) on_term: Option<i64>,
    pub(super) on_kill: i64,
    pub(super) refusal: Option<RuntimeError>,
}

impl Program {
    /// Until it is ended.
    pub fn runs_for_ever() -> Program {
        Program {
            length: None,
            code: 0,
            oom: false,
            healthy_after: None,
            on_term: Some(TERMINATED),
            on_kill: KILLED,
            refusal: None,
        }
    }

    /// So long, and then it exits with 0. With no length at all its FinishedAt is before its StartedAt, as Docker's is.
    pub fn runs_for(length: Duration) -> Program {
        Program { length: Some(length), ..Program::runs_for_ever() }
    }

    /// Exits with this code when it is through.
    pub fn exits(self, code: i64) -> Program {
        Program { code, ..self }
    }

    /// The kernel ends it for its memory, instead of its own exit.
    pub fn runs_out_of_memory(self) -> Program {
        Program { code: KILLED, oom: true, ..self }
    }

    /// Its health check succeeds from then on.
    pub fn healthy_after(self, after: Duration) -> Program {
        Program { healthy_after: Some(after), ..self }
    }

    /// A trap: SIGTERM makes it exit with this code.
    pub fn exits_when_told_to_end(self, code: i64) -> Program {
        Program { on_term: Some(code), ..self }
    }

    /// Only SIGKILL ends it.
    pub fn does_not_listen(self) -> Program {
        Program { on_term: None, ..self }
    }

    /// What the engine shows after SIGKILL: it is not always 137.
    pub fn shows_when_killed(self, code: i64) -> Program {
        Program { on_kill: code, ..self }
    }

    /// The engine says this instead of starting it.
    pub fn is_refused(message: &str) -> Program {
        let refusal = RuntimeError::Refused { status: 400, message: message.to_owned() };
        Program { refusal: Some(refusal), ..Program::runs_for_ever() }
    }
}

impl Default for Program {
    fn default() -> Program {
        Program::runs_for(Duration::ZERO)
    }
}
