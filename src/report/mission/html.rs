//! The page of a mission: one self-contained HTML file.

use super::super::{Error, chart};
use super::sections::{Section, sections};
use super::{MissionView, methods};
use crate::archive::schema::Source;
use askama::Template;

#[derive(Template)]
#[template(path = "mission.html")]
struct Page<'v> {
    name: &'v str,
    title: String,
    notices: Vec<String>,
    findings: String,
    sections: Vec<Section>,
    methods: Vec<String>,
    limits: &'static [&'static str],
    setting: &'v [(&'static str, String)],
    sources: &'v [Source],
    toml: &'v str,
    version: &'v str,
}

/// Renders the page.
pub(super) fn page(view: &MissionView<'_>) -> Result<String, Error> {
    let form = |error: chart::Failure| Error::Form(error.to_string());
    let page = Page {
        name: view.name,
        title: methods::title(view),
        notices: methods::notices(view),
        findings: methods::findings(view),
        sections: sections(view).map_err(form)?,
        methods: methods::paragraphs(view),
        limits: methods::limits(),
        setting: &view.setting,
        sources: view.sources,
        toml: view.toml,
        version: view.version,
    };
    page.render().map_err(|error| Error::Form(error.to_string()))
}
