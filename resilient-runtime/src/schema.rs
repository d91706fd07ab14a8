//! What editors are told about configuration files.

/// A JSON schema of configuration files, for editors.
///
/// Draft 2020-12, as `resilient.schema.json` in the repository: for a program that wants the one of the version
/// that it was built with. Editors find it by a line such as `#:schema ./resilient.schema.json` on top of the file.
///
/// ```
/// assert!(resilient_runtime::schema().contains("failure_threshold"));
/// ```
#[must_use]
pub fn schema() -> String {
    resilient_settings::schema::text()
}
