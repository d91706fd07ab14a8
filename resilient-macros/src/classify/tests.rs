//! The derive on streams of tokens: what is generated, and what is reported.

use super::derive;
use crate::tests::faults;

fn expanded(source: &str) -> String {
    derive(source.parse().expect("tokens")).to_string().replace(' ', "")
}

fn faults_of(source: &str) -> Vec<String> {
    faults(derive(source.parse().expect("tokens")))
}

#[test]
fn each_variant_gets_its_class() {
    let code = expanded(
        "enum E { #[transient] A(u8), #[throttled(after = wait)] B { wait: Duration, id: u8 },
         #[throttled(after = 1)] C(u8, Option<Duration>), #[throttled] D, #[transparent] E(Inner), F }",
    );
    let p = "::resilient_runtime::__private::";
    for arm in [
        format!("Self::A{{..}}=>{p}Class::Transient,"),
        format!("Self::B{{wait:__inner,..}}=>{p}Class::Throttled{{after:{p}after::<Duration>(__inner)}},"),
        format!(
            "Self::C{{1:__inner,..}}=>{p}Class::Throttled{{after:{p}after::<Option<Duration>>(__inner)}},"
        ),
        format!("Self::D{{..}}=>{p}Class::Throttled{{after:::core::option::Option::None}},"),
        format!("Self::E{{0:__inner,..}}=><Inneras{p}Classify>::classify(__inner),"),
        format!("Self::F{{..}}=>{p}Class::Unknown,"),
        format!("Self::E{{0:__inner,..}}=><Inneras{p}Classify>::rejected(__inner),"),
    ] {
        assert!(code.contains(&arm), "no `{arm}` in {code}");
    }
}

#[test]
fn nothing_is_asked_inside_without_a_transparent_variant() {
    assert!(!expanded("enum E { #[permanent] A }").contains("fnrejected"));
    assert!(expanded("enum Never {}").contains("match*self{}"));
}

#[test]
fn generics_are_kept_and_bounded_where_a_parameter_is_asked() {
    let code = expanded(
        "enum E<'a, T: Copy, U = u8, const N: usize> where U: Eq { #[transparent] A(T), #[transparent] B(&'a Fixed), C(U) }",
    );
    let p = "::resilient_runtime::__private::";
    let head = format!("impl<'a,T:Copy,U,constN:usize>{p}ClassifyforE<'a,T,U,N>whereU:Eq,T:{p}Classify{{");
    assert!(code.contains(&head), "{code}");
}

#[test]
fn a_struct_is_one_case() {
    let code = expanded("#[throttled(after = 0)] struct Busy(Duration);");
    assert!(code.contains("Self{0:__inner,..}=>"), "{code}");
}

#[test]
fn the_runtime_may_have_another_name() {
    let code = expanded("#[classify(crate = ::tough)] enum E { #[ignored] A }");
    assert!(code.contains("::tough::__private::Class::Ignored"), "{code}");
}

#[test]
fn all_faults_are_reported_together() {
    let found = faults_of(
        "#[transient] #[classify(krate = ::x)] enum E {
            #[transient] #[permanent] A,
            #[throttled(after = retry_aftr)] B { retry_after: Duration },
            #[transparent] C,
            #[transparent] D(u8, u8),
            #[transient(now)] E,
            F(#[ignored] u8),
            #[throttled(retry_after)] G { retry_after: Duration },
            #[throttled(after = 2)] H(Duration),
            #[throttled(aftr = 0)] I(Duration),
            #[throttled()] J,
            #[classify(crate = ::x)] K,
            #[ignored] #[ignored] L,
            #[throttled(after = \"5s\")] M,
            #[throttled(after = 0)] N,
         }",
    );
    assert_eq!(
        found,
        [
            "unknown key `krate` in `#[classify]`; did you mean `crate`? Keys: `crate`",
            "`#[transient]` stands on a variant: each one has its own class",
            "`A` is `#[transient]` already, and has one class only",
            "`B` has no field `retry_aftr`; did you mean `retry_after`?",
            "`#[transparent]` asks the one field inside for its class, but `C` has none",
            "`#[transparent]` asks the one field inside for its class, but `D` has 2",
            "`#[transient]` takes no arguments",
            "`#[ignored]` stands on `F` as a whole, not on a field",
            "the field stands behind its key: `after = retry_after`",
            "`H` has no field `2`; its fields: `0`",
            "unknown key `aftr` in `#[throttled]`; did you mean `after`? Keys: `after`",
            "write `#[throttled]` or `#[throttled(after = field)]`",
            "`#[classify(..)]` stands on the type as a whole",
            "`L` is `#[ignored]` already; keep one",
            "`after` takes the name of a field that holds the time, or its index: `after = 0`",
            "`N` has no field `0`; it has no fields at all",
        ]
    );
}

#[test]
fn a_union_is_refused_and_still_gets_its_impl() {
    assert_eq!(faults_of("union U { a: u8 }"), ["`Classify` can be derived for an enum or a struct"]);
    assert!(expanded("union U { a: u8 }").contains("ClassifyforU"));
}
