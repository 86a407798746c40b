//! Errors as Docker writes them: a status, and `{"message": …}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bollard::models::ErrorResponse;
use pinode_scheduler::Rejection;
use pinode_scheduler::state::BadRef;

use crate::http::ApiError;
use crate::propose::ProposeError;
use crate::submit::Invalid;

/// An answer that is an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DockerError {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

impl DockerError {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> DockerError {
        DockerError { status, message: message.into() }
    }

    pub(super) fn bad(message: impl Into<String>) -> DockerError {
        DockerError::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> DockerError {
        DockerError::new(StatusCode::CONFLICT, message)
    }

    pub(super) fn missing(message: impl Into<String>) -> DockerError {
        DockerError::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn no_container(name: &str) -> DockerError {
        DockerError::missing(format!("No such container: {name}"))
    }

    pub(super) fn internal(message: impl Into<String>) -> DockerError {
        DockerError::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    pub(super) fn stopping() -> DockerError {
        DockerError::new(StatusCode::SERVICE_UNAVAILABLE, "this node is stopping; ask another one")
    }
}

impl IntoResponse for DockerError {
    fn into_response(self) -> Response {
        (self.status, Json(ErrorResponse { message: self.message })).into_response()
    }
}

impl From<ApiError> for DockerError {
    fn from(error: ApiError) -> DockerError {
        DockerError::new(error.status, error.message)
    }
}

impl From<Invalid> for DockerError {
    fn from(invalid: Invalid) -> DockerError {
        ApiError::from(invalid).into()
    }
}

impl From<ProposeError> for DockerError {
    fn from(error: ProposeError) -> DockerError {
        ApiError::from(error).into()
    }
}

impl From<Rejection> for DockerError {
    fn from(rejection: Rejection) -> DockerError {
        // Clients look for the first words of these.
        if let Rejection::NameTaken(name) = &rejection {
            return DockerError::conflict(format!(
                "Conflict. The container name \"/{name}\" is already in use. You have to remove (or rename) that container to be able to reuse that name."
            ));
        }
        if let Rejection::StillActive(name, state) = &rejection {
            return DockerError::conflict(format!(
                "You cannot remove a running container {name} ({state}). Stop the container before attempting removal or force remove"
            ));
        }
        if let Rejection::AlreadyEnded(name, _) = &rejection {
            let message = format!("Cannot kill container: {name}: Container {name} is not running");
            return DockerError::conflict(message);
        }
        ApiError::from(rejection).into()
    }
}

impl From<BadRef> for DockerError {
    fn from(error: BadRef) -> DockerError {
        match error {
            BadRef::Nothing(name) => DockerError::no_container(&name),
            BadRef::Ambiguous { .. } => DockerError::bad(error.to_string()),
        }
    }
}
