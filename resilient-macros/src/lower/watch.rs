//! What tells the runtime when a call and its attempts begin and end. Without the features there is nothing of it.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::{Carries, Level, Rewrite, Scope, own_span};

/// Tests show what everybody gets, whatever is built along with them.
const CALLS: bool = cfg!(feature = "watch") && !cfg!(test);
const ATTEMPTS: bool = cfg!(feature = "trace") && !cfg!(test);

impl Rewrite<'_> {
    /// The whole call as one future.
    pub(super) fn watched(&self, level: Level) -> Level {
        if !CALLS {
            return level;
        }
        let outside = Scope { rewrite: self, above: &[], index: 0 };
        let (p, class, carries) = (&self.p, outside.class(), level.carries);
        let whole = outside.future(outside.typed(level));
        whole.map_future(
            carries,
            |inner| quote_spanned!(own_span()=> #p::watch(#p::station(&__RESILIENT), #inner, #class)),
        )
    }
}

impl Scope<'_> {
    /// What a fallback evaluates in place learns there what it has to be.
    fn typed(&self, level: Level) -> Level {
        if level.is_future || level.carries == Carries::Reply {
            return level;
        }
        let ty = self.block_type(&TokenStream::new());
        level.map_value(|inner| quote_spanned!(own_span()=> #ty #inner))
    }

    /// One run of the body.
    pub(super) fn watched_attempt(&self, body: TokenStream) -> TokenStream {
        if !ATTEMPTS {
            return body;
        }
        let (p, class) = (self.p(), self.class());
        quote_spanned!(own_span()=> #p::watch_attempt(#p::station(&__RESILIENT), #body, #class))
    }
}
