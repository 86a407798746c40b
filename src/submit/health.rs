//! Health checks.

use bollard::models::HealthConfig;

use super::spec::Invalid;
use super::value::duration_ms;
use crate::api::Health;

/// A health check as Docker takes it, and whether it is one (`["NONE"]` is none).
pub(super) fn config(health: &Health) -> Result<(HealthConfig, bool), Invalid> {
    let kind = health.test.first().map(String::as_str);
    let fine = match kind {
        Some("NONE") => health.test.len() == 1,
        Some("CMD") => health.test.len() > 1,
        Some("CMD-SHELL") => health.test.len() == 2,
        Some(_) | None => false,
    };
    if !fine {
        let why = r#"health.test is ["CMD", PROGRAM, …], ["CMD-SHELL", "COMMAND"] or ["NONE"]"#;
        return Err(Invalid::bad("health", why.to_owned()));
    }
    let nanos = |text: &Option<String>| -> Result<Option<i64>, Invalid> {
        let ms = duration_ms("health", text.as_ref())?;
        Ok(ms.and_then(|ms| i64::try_from(ms.saturating_mul(1_000_000)).ok()))
    };
    let config = HealthConfig {
        test: Some(health.test.clone()),
        interval: nanos(&health.interval)?,
        timeout: nanos(&health.timeout)?,
        start_period: nanos(&health.start_period)?,
        retries: health.retries.map(i64::from),
        ..HealthConfig::default()
    };
    Ok((config, kind != Some("NONE")))
}
