//! What only the whole stack shows: orders that defeat themselves.

use proc_macro2::TokenStream;
use resilient_settings::{literal, stack};
use syn::TypeReference;
use syn::visit::Visit;

use crate::diag::Diag;
use crate::func::Func;
use crate::policy::{Hides, Layer, Limit, Twice};

pub(crate) fn check(layers: &[Layer], func: Option<&Func>, diag: &mut Diag) {
    twice(layers, diag);
    hidden_failures(layers, diag);
    side_by_side(layers, diag);
    limits(layers, diag);
    delays(layers, diag);
    if let Some(func) = func
        && let Some(layer) = layers.iter().find(|layer| layer.policy.repeats().is_some())
    {
        borrowed_return(layer.kind.stem, func, diag);
    }
}

fn twice(layers: &[Layer], diag: &mut Diag) {
    for (at, layer) in layers.iter().enumerate() {
        let stem = layer.part.stem;
        let Some(earlier) = layers.iter().take(at).rev().find(|earlier| earlier.part.stem == stem) else {
            continue;
        };
        let same_name =
            layer.name.as_ref().map(syn::LitStr::value) == earlier.name.as_ref().map(syn::LitStr::value);
        match layer.part.twice {
            Twice::Freely => {}
            Twice::UnderOtherNames if !same_name => {}
            _ if layer.is_part() || earlier.is_part() => beside_its_stack(earlier, layer, diag),
            Twice::UnderOtherNames => {
                let name = layer.name.as_ref().map_or(layer.span, syn::LitStr::span);
                diag.here(name, format!("two `#[{stem}]` of one function need different names"));
            }
            Twice::Never => {
                let message = format!("`#[{stem}]` stands above already: keep one of them");
                diag.here(layer.span, message);
            }
        }
    }
}

/// A policy that stands beside a `#[resilient]` which has one of its own.
fn beside_its_stack(earlier: &Layer, layer: &Layer, diag: &mut Diag) {
    let (stack, stem) = (stack::STEM, layer.part.stem);
    match [earlier, layer].into_iter().find(|layer| !layer.is_part()) {
        Some(lone) if lone.part.twice == Twice::Never => {
            let message = format!("`#[{stack}]` has a `{stem}` of its own: remove this one");
            diag.here(lone.span, message);
        }
        Some(lone) => {
            let name = lone.name.as_ref().map_or(lone.span, syn::LitStr::span);
            let message =
                format!("`#[{stack}]` has a `{stem}` of this name: give this one another, or remove it");
            diag.here(name, message);
        }
        None if layer.is_first() => {
            diag.here(layer.span, format!("`#[{stack}]` stands above already: keep one of them"));
        }
        None => {}
    }
}

/// The attributes in the order written, but for one that stands in front of another.
fn moved(layers: &[Layer], from: usize, to: usize) -> String {
    let mut order: Vec<&Layer> = layers.iter().collect();
    let layer = order.remove(from);
    order.insert(to, layer);
    let attributes: Vec<&str> =
        order.iter().filter(|layer| layer.is_first()).map(|layer| layer.kind.stem).collect();
    attributes.join(", ")
}

/// A layer that answers every failure leaves nothing to do for one above that runs again.
fn hidden_failures(layers: &[Layer], diag: &mut Diag) {
    for (at, layer) in layers.iter().enumerate() {
        let Some(Hides { how, or }) = layer.policy.hides_failures() else { continue };
        let Some(above) = layers.iter().take(at).position(|above| above.policy.wants_failures()) else {
            continue;
        };
        let right = moved(layers, at, above);
        let (stem, above) = (layer.kind.stem, layers[above].kind.stem);
        let message =
            format!("`#[{stem}]` {how} before `#[{above}]` above sees one: move it above ({right}), or {or}");
        diag.here(layer.span, message);
    }
}

/// What makes attempts side by side useless: each tries again by itself, so that a slow one may only be waiting, or
/// waits for the first.
fn side_by_side(layers: &[Layer], diag: &mut Diag) {
    let overlap = |layer: &Layer| layer.policy.repeats().is_some_and(|repeats| repeats.overlap);
    let Some(at) = layers.iter().position(overlap) else { return };
    for (below, layer) in layers.iter().enumerate().skip(at + 1) {
        let why = if layer.policy.joins_calls() {
            "lets the attempts wait for the first of them"
        } else if layer.policy.repeats().is_some_and(|repeats| !repeats.overlap) {
            "lets each attempt wait and try again by itself"
        } else {
            continue;
        };
        let right = moved(layers, below, at);
        let (stem, above) = (layer.kind.stem, layers[at].kind.stem);
        let message = format!("`#[{stem}]` below `#[{above}]` {why}: move it above ({right})");
        diag.here(layer.span, message);
    }
}

/// Times after which nothing runs any more that something could be done about.
fn delays(layers: &[Layer], diag: &mut Diag) {
    for (at, layer) in layers.iter().enumerate() {
        let Some(delay) = layer.policy.delay() else { continue };
        let bound = |(place, other): (usize, &Layer)| {
            let limit = other.policy.limit()?;
            (limit.time <= delay.time).then_some((place, other.kind.stem, limit.time))
        };
        let Some((place, other, limit)) = layers.iter().enumerate().find_map(bound) else { continue };
        let (after, limit) = (literal::shown(delay.time), literal::shown(limit));
        let (place, ended) = if place < at { ("above", "the call") } else { ("below", "each attempt") };
        let message = format!(
            "no attempt is slow after {after}: the `#[{other}]` {place} ends {ended} after {limit}; make `after` \
             shorter than that"
        );
        diag.at(&delay.at, message);
    }
}

/// Times against the ones inside them.
fn limits(layers: &[Layer], diag: &mut Diag) {
    let mut idle = Vec::new();
    for (at, outer) in layers.iter().enumerate() {
        let Some(total) = outer.policy.limit() else { continue };
        for (below, inner) in layers.iter().enumerate().skip(at + 1) {
            too_short(&total, inner, diag);
            let Some(each) = inner.policy.limit() else { continue };
            let mut between = layers.iter().take(below).skip(at + 1);
            if each.time >= total.time {
                idle.push((below, never_strikes((inner, &each), (outer, &total), "above")));
            } else if !between.any(|layer| layer.policy.takes_time()) {
                idle.push((at, never_strikes((outer, &total), (inner, &each), "below")));
            }
        }
    }
    idle.sort_by_key(|(at, _)| *at);
    idle.dedup_by_key(|(at, _)| *at);
    for (_, (at, message)) in idle {
        diag.at(at, message);
    }
}

/// Of two times one is always over before the other.
fn never_strikes(
    (layer, idle): (&Layer, &Limit),
    (other, first): (&Layer, &Limit),
    place: &str,
) -> (TokenStream, String) {
    let (time, end) = (literal::shown(idle.time), literal::shown(first.time));
    let fix = if place == "below" {
        ", and nothing between them takes time; keep one"
    } else {
        "; make this one shorter or that one longer"
    };
    let (stem, other) = (layer.kind.stem, other.kind.stem);
    let message =
        format!("this `#[{stem}]` ({time}) never strikes: the `#[{other}]` {place} ends after {end}{fix}");
    (idle.at.clone(), message)
}

fn too_short(total: &Limit, inner: &Layer, diag: &mut Diag) {
    let Some(repeats) = inner.policy.repeats() else { return };
    if repeats.least_waits.is_some_and(|least| least >= total.time) {
        let message = format!(
            "this time ({}) is over before the last attempt of `#[{}]` below can begin ({}): raise it, or wait \
             less",
            literal::shown(total.time),
            inner.kind.stem,
            repeats.words
        );
        diag.at(&total.at, message);
    }
}

/// What one attempt borrows uniquely cannot leave it, because the next attempt borrows it again.
fn borrowed_return(stem: &str, func: &Func, diag: &mut Diag) {
    let mut found = Borrows::default();
    found.visit_type(&func.ret.ty);
    if let Some(reference) = found.unique {
        diag.at(
            reference,
            format!(
                "`#[{stem}]` cannot return a `&mut` borrow: the next attempt would need it again; return an owned \
                 value, or a shared borrow"
            ),
        );
    }
}

/// The first unique reference inside a return type.
#[derive(Default)]
struct Borrows {
    unique: Option<TypeReference>,
}

impl<'ast> Visit<'ast> for Borrows {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        if reference.mutability.is_some() {
            self.unique.get_or_insert_with(|| reference.clone());
        }
        syn::visit::visit_type_reference(self, reference);
    }
}
