//! Evaluates the decisions about further attempts.

use std::time::Duration;

use serde_json::{Value, json};
use sessio::http::{Method, StatusCode};
use sessio::retry::{
    Beyond, BudgetState, Facts, Failed, Jitter, Methods, Outcome, RetryPolicy, StatusSet, Verdict, decide,
};
use sessio::{Head, Headers, Kind, Now, Seed, Timeout, UnixTime};

use super::case::{Case, text_or_null};
use super::{Failure, Object, clock, object};

/// In: the request as `method`, `replayable` (default: true) and `idempotency_key` (default: false);
/// `policy`, `seed` (default: 1), `total` in seconds, `now`, and `attempts`. Out: `verdicts`, up to
/// the first stop.
///
/// The policy is `RetryPolicy::web` where it has no field, and has no budget: one call is none.
pub(super) fn evaluate(case: &Case<'_>) -> Result<Object, Failure> {
    if case.value("attempts").is_none() {
        return Err(Failure::Input("attempts is missing".to_owned()));
    }
    let policy = policy(&case.inner("policy")?)?;
    let start = clock::now(case)?;
    let method = case.text("method")?.unwrap_or("GET");
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| Failure::Input(format!("{method} is no method")))?;
    let total = case.seconds("total")?;
    let mut seed = Seed::new(case.count("seed")?.unwrap_or(1));
    let mut budget = BudgetState::default();
    let mut verdicts = Vec::new();
    for (attempts, attempt) in (1..).zip(case.cases("attempts")?) {
        let at = attempt.seconds("at")?.unwrap_or_default();
        let now = Now { mono: start.mono + at, wall: UnixTime(start.wall.0 + seconds(at)) };
        let end = End::read(&attempt)?;
        let facts = Facts {
            method: &method,
            has_key: case.flag("idempotency_key")?.unwrap_or(false),
            replayable: case.flag("replayable")?.unwrap_or(true),
            outcome: end.outcome(),
            attempts,
            deadline: total.map(|total| start.mono + total),
        };
        match decide(&policy, &facts, &mut budget, &mut seed, now) {
            Verdict::Again { wait, .. } => verdicts.push(json!({ "again_after": number(wait) })),
            Verdict::Stop(why) => {
                verdicts.push(json!({ "stop": why.name() }));
                break;
            }
        }
    }
    Ok(object([("verdicts", verdicts.into())]))
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

/// Seconds, as an integer if they are whole.
fn number(wait: Duration) -> Value {
    match wait.subsec_nanos() {
        0 => wait.as_secs().into(),
        _ => wait.as_secs_f64().into(),
    }
}

fn policy(case: &Case<'_>) -> Result<RetryPolicy, Failure> {
    let mut policy = RetryPolicy::web();
    policy.budget = None;
    let unknown = |field: &str, text: &str| Failure::Input(format!("{field} is not {text}"));
    if let Some(most) = case.count("max_attempts")? {
        policy.max_attempts = most;
    }
    if case.value("statuses").is_some() {
        let code = |value: &Value| value.as_u64().and_then(|code| u16::try_from(code).ok());
        let codes: Option<Vec<u16>> = case.list("statuses")?.iter().map(code).collect();
        policy.statuses = StatusSet::new(codes.ok_or_else(|| unknown("statuses", "a list of codes"))?);
    }
    policy.methods = match case.text("methods")? {
        None => policy.methods,
        Some("idempotent") => Methods::Idempotent,
        Some("with-key") => Methods::WithKey,
        Some("any") => Methods::Any,
        Some(_) => return Err(unknown("methods", "idempotent, with-key or any")),
    };
    let backoff = &mut policy.backoff;
    backoff.first = case.seconds("first")?.unwrap_or(backoff.first);
    backoff.max = case.seconds("max")?.unwrap_or(backoff.max);
    if let Some(factor) = case.value("factor") {
        backoff.factor = factor.as_f64().ok_or_else(|| unknown("factor", "a number"))?;
    }
    backoff.jitter = match case.text("jitter")? {
        None => backoff.jitter,
        Some("none") => Jitter::None,
        Some("full") => Jitter::Full,
        Some(_) => return Err(unknown("jitter", "none or full")),
    };
    policy.retry_after.max = case.seconds("retry_after_max")?.unwrap_or(policy.retry_after.max);
    policy.retry_after.beyond = match case.text("beyond")? {
        None => policy.retry_after.beyond,
        Some("return") => Beyond::ReturnResponse,
        Some("cap") => Beyond::Cap,
        Some(_) => return Err(unknown("beyond", "return or cap")),
    };
    Ok(policy)
}

/// The end of an attempt.
enum End {
    Response(Head),
    Failed(Failed),
}

impl End {
    fn read(case: &Case<'_>) -> Result<Self, Failure> {
        if let Some(status) = case.count::<u16>("status")? {
            let status =
                StatusCode::from_u16(status).map_err(|_| Failure::Input(format!("{status} is no status")))?;
            let mut headers = Headers::new();
            for (name, value) in case.pairs("headers")? {
                headers.append(name, text_or_null(name, value)?.unwrap_or_default())?;
            }
            return Ok(Self::Response(Head::new(status, headers)));
        }
        let kind = match case.text("failure")? {
            Some("connect") => Kind::Connect,
            Some("reset") => Kind::ClosedBeforeResponse,
            Some("timeout") => Kind::Timeout(Timeout::Head),
            Some("tls") => Kind::TlsAlert,
            Some("body") => Kind::IncompleteBody,
            _ => {
                return Err(Failure::Input("an attempt has neither a status nor a known failure".to_owned()));
            }
        };
        let (sent, received) = (case.count("sent")?.unwrap_or(0), case.count("received")?.unwrap_or(0));
        // Its connection was a new one, so it was not stale.
        Ok(Self::Failed(Failed { kind, sent, received, reused: false, resent: false }))
    }

    fn outcome(&self) -> Outcome<'_> {
        match self {
            Self::Response(head) => Outcome::Response(head),
            Self::Failed(failed) => Outcome::Failed(*failed),
        }
    }
}
