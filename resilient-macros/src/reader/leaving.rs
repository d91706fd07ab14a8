//! Whether an expression leaves the function that it is written into.

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::visit::{Visit, visit_expr_await, visit_expr_block, visit_expr_try};
use syn::{
    Expr, ExprAsync, ExprAwait, ExprBlock, ExprBreak, ExprClosure, ExprConst, ExprContinue, ExprForLoop,
    ExprLoop, ExprReturn, ExprTry, ExprWhile, Item, Label, Lifetime,
};

/// What leaves `key`, and why it may not. The tokens of macros are not looked into.
pub(super) fn leaving(key: &str, value: &Expr) -> Option<(TokenStream, String)> {
    let mut leaves = Leaves::default();
    leaves.visit_expr(value);
    let (at, word) = leaves.found?;
    let instead = match word {
        ".await" => "is evaluated at once and cannot wait: pass what it needs as an argument",
        "?" => "cannot leave the function past its layers: give it a value, as with `unwrap_or_default()`",
        _ => "cannot leave the function past its layers: give it a value",
    };
    let fault = format!("a `{key}` {instead}");
    Some((at, fault))
}

#[derive(Default)]
struct Leaves {
    found: Option<(TokenStream, &'static str)>,
    /// The loops and blocks around, as far as they are in the expression.
    around: Vec<Around>,
}

struct Around {
    label: Option<Lifetime>,
    is_loop: bool,
}

impl Leaves {
    fn find(&mut self, at: TokenStream, word: &'static str) {
        self.found.get_or_insert((at, word));
    }

    fn stays(&self, label: Option<&Lifetime>) -> bool {
        self.around.iter().any(|around| match label {
            Some(label) => around.label.as_ref() == Some(label),
            None => around.is_loop,
        })
    }

    fn within(&mut self, label: Option<&Label>, is_loop: bool, visit: impl FnOnce(&mut Self)) {
        self.around.push(Around { label: label.map(|label| label.name.clone()), is_loop });
        visit(self);
        self.around.pop();
    }
}

impl<'ast> Visit<'ast> for Leaves {
    fn visit_expr_try(&mut self, it: &'ast ExprTry) {
        visit_expr_try(self, it);
        self.find(it.question_token.to_token_stream(), "?");
    }

    fn visit_expr_await(&mut self, it: &'ast ExprAwait) {
        visit_expr_await(self, it);
        self.find(it.await_token.to_token_stream(), ".await");
    }

    fn visit_expr_return(&mut self, it: &'ast ExprReturn) {
        self.find(it.return_token.to_token_stream(), "return");
    }

    fn visit_expr_break(&mut self, it: &'ast ExprBreak) {
        if !self.stays(it.label.as_ref()) {
            self.find(it.break_token.to_token_stream(), "break");
        }
        syn::visit::visit_expr_break(self, it);
    }

    fn visit_expr_continue(&mut self, it: &'ast ExprContinue) {
        if !self.stays(it.label.as_ref()) {
            self.find(it.continue_token.to_token_stream(), "continue");
        }
    }

    fn visit_expr_loop(&mut self, it: &'ast ExprLoop) {
        self.within(it.label.as_ref(), true, |leaves| leaves.visit_block(&it.body));
    }

    fn visit_expr_while(&mut self, it: &'ast ExprWhile) {
        self.within(it.label.as_ref(), true, |leaves| syn::visit::visit_expr_while(leaves, it));
    }

    fn visit_expr_for_loop(&mut self, it: &'ast ExprForLoop) {
        self.visit_expr(&it.expr);
        self.within(it.label.as_ref(), true, |leaves| leaves.visit_block(&it.body));
    }

    fn visit_expr_block(&mut self, it: &'ast ExprBlock) {
        self.within(it.label.as_ref(), false, |leaves| visit_expr_block(leaves, it));
    }

    // What these are left for is themselves.
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}

    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}

    fn visit_expr_const(&mut self, _: &'ast ExprConst) {}

    fn visit_item(&mut self, _: &'ast Item) {}
}
