//! The whole table of decisions.
//!
//! The expectation is the text below. It is written by hand from RFC 9110 sections 9.2.2 and 10.2.3
//! and from the documentation of the policy. It shares no code with the decision.

use std::time::Duration;

use http::{Method, StatusCode};

use super::*;
use crate::base::kind::{Kind, Timeout};
use crate::base::time::{Instant, Now, Seed, UnixTime};
use crate::message::head::Head;
use crate::message::headers::Headers;

/// The rows, first match first. Columns: the end of the attempt, the policy's methods, the request,
/// its body, the number of attempts, the deadline, the budget, the verdict. `*` is any value, and
/// `a|b` either of two.
///
/// - The end: a status with its Retry-After; or a failure with what was sent and received. `stale` is
///   a reused connection that closed before a response.
/// - The request: `safe` is an idempotent method. `unsafe` is another one, `keyed` one of these with
///   an Idempotency-Key.
/// - The deadline: `far` is beyond every allowed wait, `near` within each wait but the shortest.
const TABLE: &str = "
    stale-unsent                  * *          replayable *     *    *     stale-connection
    stale-sent                    * safe|keyed replayable *     *    *     stale-connection
    stale-sent-again              * *          *          last  *    *     attempts-spent
    200|204|206|304               * *          *          *     *    *     success
    400|401|403|404|413           * *          *          *     *    *     status-not-listed
    421|501|505|511               * *          *          *     *    *     status-not-listed
    incomplete-body|read-timeout  * *          *          *     *    *     response-delivered
    certificate|tls-alert|refused * *          *          *     *    *     failure-not-listed
    bad-head|total-timeout|source * *          *          *     *    *     failure-not-listed
    *                             * *          *          last  *    *     attempts-spent
    connect|resolve|tls-closed    * *          fixed      *     *    *     body-not-replayable
    connect-timeout|reset-unsent  * *          fixed      *     *    *     body-not-replayable
    stale-unsent                  * *          fixed      *     *    *     body-not-replayable
    connect|resolve|tls-closed    * *          *          *     near *     deadline-too-near
    connect-timeout|reset-unsent  * *          *          *     near *     deadline-too-near
    connect|resolve|tls-closed    * *          *          *     *    spent budget-spent
    connect-timeout|reset-unsent  * *          *          *     *    spent budget-spent
    connect|resolve|tls-closed    * *          *          *     *    *     backoff
    connect-timeout|reset-unsent  * *          *          *     *    *     backoff
    *                             idempotent|with-key unsafe * * * *       not-idempotent
    *                             idempotent keyed *      *     *    *     not-idempotent
    *                             * *          fixed      *     *    *     body-not-replayable
    429+61|503+9999999999|503+far * *          *          *     *    *     retry-after-too-long
    429+0                         * *          *          *     *    spent budget-spent
    429+0                         * *          *          *     *    *     retry-after
    *                             * *          *          *     near *     deadline-too-near
    *                             * *          *          *     *    spent budget-spent
    429+60|503+7|503+date         * *          *          *     *    *     retry-after
    *                             * *          *          *     *    *     backoff
";

/// The ends of an attempt, by their names in the table.
fn ends() -> Vec<(&'static str, End)> {
    let failed =
        |kind, sent, received, reused, resent| End::Failed(Failed { kind, sent, received, reused, resent });
    let closed = Kind::ClosedBeforeResponse;
    let before = |kind| failed(kind, 0, 0, false, false);
    let mut ends = vec![
        ("stale-unsent", failed(closed, 0, 0, true, false)),
        ("stale-sent", failed(closed, 90, 0, true, false)),
        ("stale-sent-again", failed(closed, 90, 0, true, true)),
        ("reset-unsent", failed(closed, 0, 0, false, false)),
        ("reset", failed(closed, 90, 0, false, false)),
        ("reset-reused-within-head", failed(Kind::IncompleteHead, 90, 7, true, false)),
        ("io", failed(Kind::Io, 90, 0, false, false)),
        ("head-timeout", failed(Kind::Timeout(Timeout::Head), 90, 0, true, false)),
        ("send-timeout", failed(Kind::Timeout(Timeout::Send), 10, 0, false, false)),
        ("incomplete-body", failed(Kind::IncompleteBody, 90, 500, false, false)),
        ("read-timeout", failed(Kind::Timeout(Timeout::Read), 90, 500, false, false)),
        ("connect", before(Kind::Connect)),
        ("resolve", before(Kind::Resolve)),
        ("tls-closed", before(Kind::TlsClosed)),
        ("connect-timeout", before(Kind::Timeout(Timeout::Connect))),
        ("certificate", before(Kind::CertificateExpired)),
        ("tls-alert", before(Kind::TlsAlert)),
        ("refused", before(Kind::ProxyRefused)),
        ("bad-head", failed(Kind::BadHead, 90, 9, false, false)),
        ("total-timeout", failed(Kind::Timeout(Timeout::Total), 90, 0, false, false)),
        ("source", failed(Kind::BodySource, 90, 0, false, false)),
    ];
    let date = "Thu, 01 Jan 2026 00:00:00 GMT";
    for (name, status, fields) in [
        ("429+0", 429, &[("Retry-After", "0")][..]),
        ("429+60", 429, &[("Retry-After", "60")]),
        ("429+61", 429, &[("Retry-After", "61")]),
        ("429+-1", 429, &[("Retry-After", "-1")]),
        ("503+7", 503, &[("Retry-After", "7")]),
        ("503+soon", 503, &[("Retry-After", "soon")]),
        ("503+9999999999", 503, &[("Retry-After", "9999999999")]),
        ("503+date", 503, &[("Retry-After", "Thu, 01 Jan 2026 00:00:09 GMT"), ("Date", date)]),
        ("503+far", 503, &[("Retry-After", "Fri, 02 Jan 2026 00:00:00 GMT"), ("Date", date)]),
    ] {
        ends.push((name, End::response(status, fields)));
    }
    for (name, status) in [
        ("200", 200),
        ("204", 204),
        ("206", 206),
        ("304", 304),
        ("400", 400),
        ("401", 401),
        ("403", 403),
        ("404", 404),
        ("408", 408),
        ("413", 413),
        ("421", 421),
        ("425", 425),
        ("429", 429),
        ("500", 500),
        ("501", 501),
        ("502", 502),
        ("503", 503),
        ("504", 504),
        ("505", 505),
        ("511", 511),
    ] {
        ends.push((name, End::response(status, &[("Retry-After-Not", "5")])));
    }
    ends
}

enum End {
    Response(Head),
    Failed(Failed),
}

impl End {
    fn response(status: u16, fields: &[(&str, &str)]) -> Self {
        let mut headers = Headers::new();
        fields.iter().for_each(|(name, value)| headers.append(name, value).unwrap());
        Self::Response(Head::new(StatusCode::from_u16(status).unwrap(), headers))
    }

    fn outcome(&self) -> Outcome<'_> {
        match self {
            Self::Response(head) => Outcome::Response(head),
            Self::Failed(failed) => Outcome::Failed(*failed),
        }
    }
}

/// The verdict of the table for these values.
fn expected(values: &[&str; 7]) -> &'static str {
    let fits = |pattern: &str, value: &str| pattern == "*" || pattern.split('|').any(|it| it == value);
    let rows = TABLE.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut fitting = rows
        .filter(|row| row.len() == 8 && row.iter().zip(values).all(|(pattern, value)| fits(pattern, value)));
    fitting.next().unwrap()[7]
}

/// A moment whose wall clock is far from the dates in the table: these count from each other.
const NOW: Now = Now { mono: Instant::from_nanos(1 << 40), wall: UnixTime(5) };

#[test]
fn g13_the_whole_table_of_decisions() {
    let ends = ends();
    let requests = [
        ("safe", Method::GET, false),
        ("safe", Method::HEAD, false),
        ("safe", Method::PUT, true),
        ("safe", Method::DELETE, false),
        ("safe", Method::OPTIONS, false),
        ("safe", Method::TRACE, false),
        ("unsafe", Method::POST, false),
        ("unsafe", Method::PATCH, false),
        ("unsafe", Method::from_bytes(b"get").unwrap(), false),
        ("keyed", Method::POST, true),
        ("keyed", Method::PATCH, true),
    ];
    let methods =
        [("idempotent", Methods::Idempotent), ("with-key", Methods::WithKey), ("any", Methods::Any)];
    let deadlines = [
        ("none", None),
        ("far", Some(NOW.mono + Duration::from_secs(3600))),
        ("near", Some(NOW.mono + Duration::from_millis(250))),
    ];
    let mut rows = 0;
    for (end, ended) in &ends {
        for (methods_name, methods) in methods {
            for (request, method, has_key) in &requests {
                for (body, replayable) in [("replayable", true), ("fixed", false)] {
                    for (attempt, attempts) in [("first", 1), ("later", 3), ("last", 4)] {
                        for (deadline_name, deadline) in deadlines {
                            for budget_name in ["left", "spent", "none"] {
                                let mut policy = RetryPolicy::web();
                                policy.methods = methods;
                                policy.backoff.jitter = Jitter::None;
                                policy.budget = budget(budget_name);
                                let facts = Facts {
                                    method,
                                    has_key: *has_key,
                                    replayable,
                                    outcome: ended.outcome(),
                                    attempts,
                                    deadline,
                                };
                                let (mut state, mut seed) = (BudgetState::default(), Seed::new(1));
                                let verdict = decide(&policy, &facts, &mut state, &mut seed, NOW);
                                let values =
                                    [*end, methods_name, request, body, attempt, deadline_name, budget_name];
                                let seen = match verdict {
                                    Verdict::Again { why, .. } => why.name(),
                                    Verdict::Stop(why) => why.name(),
                                };
                                assert_eq!(seen, expected(&values), "{values:?}");
                                check_wait(verdict, end, attempts);
                                assert_eq!(seed, Seed::new(1), "nothing was drawn: {values:?}");
                                rows += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(rows >= 3000, "{rows}");
}

fn budget(name: &str) -> Option<Budget> {
    match name {
        "left" => Some(Budget::default()),
        "spent" => {
            let mut budget = Budget::percent(0);
            budget.reserve = 0;
            Some(budget)
        }
        _ => None,
    }
}

/// The waits of the table, in milliseconds.
fn check_wait(verdict: Verdict, end: &str, attempts: u32) {
    let Verdict::Again { at, wait, why } = verdict else { return };
    let expected = match (end, why, attempts) {
        (_, Again::StaleConnection, _) | ("429+0", ..) => 0,
        ("429+60", ..) => 60_000,
        ("503+7", ..) => 7000,
        ("503+date", ..) => 9000,
        (_, _, 1) => 500,
        _ => 2000,
    };
    assert_eq!((wait.as_millis(), at), (expected, NOW.mono + wait), "{end} {attempts}");
}

fn facts<'a>(head: &'a Head, attempts: u32) -> Facts<'a> {
    let outcome = Outcome::Response(head);
    Facts { method: &Method::GET, has_key: false, replayable: true, outcome, attempts, deadline: None }
}

#[test]
fn a_longer_retry_after_is_capped_where_the_policy_says_so() {
    let mut policy = RetryPolicy::web();
    policy.retry_after.beyond = Beyond::Cap;
    let End::Response(head) = End::response(503, &[("Retry-After", "99999999999999999999999")]) else {
        unreachable!()
    };
    let (mut state, mut seed) = (BudgetState::default(), Seed::new(1));
    let mut judge = |facts: Facts<'_>| decide(&policy, &facts, &mut state, &mut seed, NOW);
    let wait = Duration::from_secs(60);
    let again = Verdict::Again { at: NOW.mono + wait, wait, why: Again::RetryAfterCapped };
    assert_eq!(judge(facts(&head, 1)), again);
    // A wait fits if it ends before the deadline.
    let by = |span| Facts { deadline: Some(NOW.mono + span), ..facts(&head, 2) };
    assert_eq!(judge(by(wait)), Verdict::Stop(Stop::DeadlineTooNear));
    assert_eq!(judge(by(wait + Duration::from_nanos(1))), again);
}

#[test]
fn one_attempt_and_none_are_no_retry() {
    let End::Response(head) = End::response(503, &[]) else { unreachable!() };
    for max_attempts in [0, 1] {
        let policy = RetryPolicy { max_attempts, ..RetryPolicy::web() };
        let verdict = decide(&policy, &facts(&head, 1), &mut BudgetState::default(), &mut Seed::new(1), NOW);
        assert_eq!(verdict, Verdict::Stop(Stop::AttemptsSpent));
    }
}

/// The same seed and the same script give the same waits, and another seed others.
#[test]
fn waits_follow_from_the_seed() {
    let End::Response(head) = End::response(503, &[]) else { unreachable!() };
    let policy = RetryPolicy { max_attempts: 100, budget: None, ..RetryPolicy::web() };
    let waits = |number| {
        let (mut state, mut seed) = (BudgetState::default(), Seed::new(number));
        (1..100)
            .map(|attempt| match decide(&policy, &facts(&head, attempt), &mut state, &mut seed, NOW) {
                Verdict::Again { wait, .. } => wait,
                verdict @ Verdict::Stop(_) => panic!("{verdict:?}"),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(waits(1), waits(1));
    assert_ne!(waits(1), waits(2));
    assert!(waits(1).iter().all(|wait| *wait <= Duration::from_secs(30)));
}

/// A call counts once in its budget, and a retry that another rule forbids is not counted.
#[test]
fn budgets_count_calls_and_retries() {
    let End::Response(head) = End::response(503, &[]) else { unreachable!() };
    let mut policy = RetryPolicy::web();
    policy.budget = Some(Budget { reserve: 1, ..Budget::percent(50) });
    let (mut state, mut seed) = (BudgetState::default(), Seed::new(1));
    let mut again = |facts: Facts<'_>| {
        matches!(decide(&policy, &facts, &mut state, &mut seed, NOW), Verdict::Again { .. })
    };
    assert!(!again(Facts { replayable: false, ..facts(&head, 1) }));
    assert!(again(facts(&head, 1)) && !again(facts(&head, 2)));
    assert!(!again(facts(&head, 1)), "three calls, one retry, and half a retry left");
    assert!(again(facts(&head, 1)) && !again(facts(&head, 2)), "four calls");
}
