//! The one table of errors: what went wrong, its status, its stable code, the field at fault.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pinode_scheduler::Rejection;
use pinode_scheduler::state::BadRef;

use crate::agent::runtime::RuntimeError;
use crate::api::{ErrorBody, ErrorDetail};
use crate::propose::ProposeError;
use crate::submit::Invalid;

/// An answer that is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable word.
    pub code: &'static str,
    /// Sentence.
    pub message: String,
    /// Field at fault.
    pub field: Option<String>,
}

impl ApiError {
    /// An error without a field.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError { status, code, message: message.into(), field: None }
    }

    /// 400 with its field.
    pub fn bad(field: &str, message: impl Into<String>) -> ApiError {
        let error = ApiError::new(StatusCode::BAD_REQUEST, "bad_request", message);
        ApiError { field: Some(field.to_owned()), ..error }
    }

    /// 500: the kernel has no random bytes.
    pub fn no_randomness(error: std::io::Error) -> ApiError {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "no_randomness", error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let detail = ErrorDetail { code: self.code.to_owned(), message: self.message, field: self.field };
        let mut response = (self.status, Json(ErrorBody { error: detail })).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> ApiError {
        let (status, code) = match invalid.never {
            true => (StatusCode::UNPROCESSABLE_ENTITY, "unsupported"),
            false => (StatusCode::BAD_REQUEST, "bad_request"),
        };
        ApiError { status, code, message: invalid.message, field: Some(invalid.field) }
    }
}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> ApiError {
        let (status, field) = match &rejection {
            Rejection::NameTaken(_) | Rejection::PipelineTaken(_) | Rejection::NodeNameTaken(_) => {
                (409, Some("name"))
            }
            Rejection::NamedTwice(_) => (400, Some("name")),
            Rejection::SelfDependency(..) | Rejection::Cycle { .. } => (409, Some("waitfor")),
            Rejection::TooComplex(_)
            | Rejection::MissingDependency(..)
            | Rejection::TooManyMatches(..)
            | Rejection::NoHealthCheck(..) => (422, Some("waitfor")),
            Rejection::NeverFits { resource, .. } => (422, Some(resource.field())),
            Rejection::KeyReused(_) => (409, Some("Idempotency-Key")),
            Rejection::NoSuchContainer(_) => (404, None),
            Rejection::NamedByPipeline(_) => (409, Some("name")),
            Rejection::StillActive(..)
            | Rejection::StillWaiting(..)
            | Rejection::NotStarted(_)
            | Rejection::NoRoom(..)
            | Rejection::AlreadyEnded(..)
            | Rejection::NotRetriable(..)
            | Rejection::RetryTheCause(..)
            | Rejection::StaleSession(_)
            | Rejection::NoSuchSession(_)
            | Rejection::NodeRemoved
            | Rejection::NodeLives(_)
            | Rejection::NodeBusy(..)
            | Rejection::LastNode(_)
            | Rejection::TooOld { .. }
            | Rejection::NodeHoldsUnknown { .. } => (409, None),
            Rejection::NoSuchNode(_) => (404, None),
            Rejection::BadSetting(_) => (400, None),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::CONFLICT);
        let error = ApiError::new(status, rejection.code(), rejection.to_string());
        ApiError { field: field.map(str::to_owned), ..error }
    }
}

impl From<BadRef> for ApiError {
    fn from(error: BadRef) -> ApiError {
        match &error {
            BadRef::Nothing(_) => {
                ApiError::new(StatusCode::NOT_FOUND, "no_such_container", error.to_string())
            }
            BadRef::Ambiguous { .. } => ApiError::new(StatusCode::CONFLICT, "ambiguous", error.to_string()),
        }
    }
}

impl From<ProposeError> for ApiError {
    fn from(error: ProposeError) -> ApiError {
        let code = match error {
            ProposeError::NoQuorum(_) => "no_quorum",
            ProposeError::Stopped => "stopping",
        };
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, error.to_string())
    }
}

impl From<RuntimeError> for ApiError {
    fn from(error: RuntimeError) -> ApiError {
        match error {
            RuntimeError::NoSuch => ApiError::new(
                StatusCode::NOT_FOUND,
                "no_docker_container",
                "its Docker container is no longer there",
            ),
            RuntimeError::NoSpace(_) => {
                ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", error.to_string())
            }
            RuntimeError::Away(_) => ApiError::new(StatusCode::BAD_GATEWAY, "engine_away", error.to_string()),
            RuntimeError::NameTaken | RuntimeError::ImageMissing(_) | RuntimeError::Refused { .. } => {
                ApiError::new(StatusCode::BAD_GATEWAY, "engine_refused", error.to_string())
            }
        }
    }
}
