//! Calls that are under way while a breaker changes, or somebody changes it.
//!
//! In a script `(` lets a call in, `)` is the success of the oldest, `]` its failure, `-` an ignored error and `}`
//! its end without an answer; a digit is so many seconds; `f`, `d` and `o` force it open, disable it and let it
//! observe, `r` resumes it and `z` resets it; `?` asks for its state. `O` came of a call that was refused.

use std::collections::VecDeque;

use super::*;

async fn play(breaker: &CircuitBreaker, script: &str) -> String {
    let (mut under_way, mut came) = (VecDeque::new(), Vec::new());
    for step in script.chars() {
        match step {
            '(' => match breaker.acquire() {
                Ok(permit) => under_way.push_back(permit),
                Err(_) => came.push("O"),
            },
            '0'..='9' => advance(secs(step.to_digit(10).expect("one").into())).await,
            'f' => breaker.force_open(),
            'd' => breaker.disable(),
            'o' => breaker.observe(),
            'r' => breaker.resume(),
            'z' => breaker.reset(),
            '?' => came.push(breaker.state().as_str()),
            ' ' => {}
            _ => {
                let permit = under_way.pop_front().expect("one is under way");
                match step {
                    ')' => permit.success(),
                    ']' => permit.failure(),
                    '-' => permit.ignore(),
                    _ => drop(permit),
                }
            }
        }
    }
    came.join(" ")
}

/// Opens at the first failure for one second, takes two probes at once for three seconds each, and closes after two.
const fn breaker() -> CircuitBreaker {
    CircuitBreaker::new("under way")
        .failure_threshold(1)
        .reset_timeout(secs(1))
        .half_open_calls(2)
        .half_open_timeout(secs(3))
        .success_threshold(2)
}

async fn assert_plays(rows: &[(&str, &str)]) {
    for (script, came) in rows {
        assert_eq!(play(&breaker(), script).await, *came, "{script}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_from_before_a_change_by_hand_counts_after_it() {
    let rows = [
        ("((( z ])} ? (]?", "closed open"),
        ("((( fr ])} ? (]?", "closed open"),
        ("((( dr ])} ? (]?", "closed open"),
        ("(( f ])? r?", "forced_open closed"),
        ("( d ]? r?", "disabled closed"),
        ("d ( r ]? (]?", "closed open"),
        ("(] 1 (( z ]]? (]?", "closed open"),
        ("(] 1 (( fr ))? (]?", "closed open"),
    ];
    assert_plays(&rows).await;
}

#[tokio::test(start_paused = true)]
async fn who_observes_learns_on_and_who_was_nothing_but_open_starts_afresh() {
    let rows = [
        ("o (]? ((? r?", "observing observing closed"),
        ("(] fr?", "closed"),
        ("(] dr?", "closed"),
        ("(] r? (", "open O"),
        ("(] z? (]?", "closed open"),
        ("f 9 9 9 ( ?", "O forced_open"),
        ("ff r?", "closed"),
    ];
    assert_plays(&rows).await;
}

#[tokio::test(start_paused = true)]
async fn probes_take_their_places_and_give_them_back() {
    let rows = [
        ("(] 1 ((( ?", "O half_open"),
        ("(] 1 (( }- (( ( ?", "O half_open"),
        ("(] 1 (( ) ? ) ?", "half_open closed"),
        ("(] 1 (( ] ? ) ?", "open open"),
        ("(] 1 (( ) ] ?", "open"),
        ("(] 1 () () ?", "closed"),
        ("(] 1 (-(-(}(}(-(} ?", "half_open"),
    ];
    assert_plays(&rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_never_answers_loses_its_place_and_not_its_voice() {
    let rows = [
        ("(] 1 (( 2 ( 1 ((( ?", "O O half_open"),
        ("(] 1 (( 3 (( )) ?", "closed"),
        ("(] 1 (( 3 (( ] ?", "open"),
        ("(] 1 (( 3 (( }} ( ?", "O half_open"),
        ("(] 1 ( 3 (( ( ) ( ?", "O O half_open"),
        ("(] 1 (( 3 (( ] 1 (( ])} ?", "half_open"),
    ];
    assert_plays(&rows).await;
}
