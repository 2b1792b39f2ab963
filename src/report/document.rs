//! A report as a document: what stands in it, in order, for a page, Markdown and LaTeX alike.

use super::table::{parts, piped, widths};
use super::tables::Table;
use super::{Error, chart};
use crate::archive::schema::Source;
use crate::stats::Interval;
use crate::words as names;
use askama::Template;
use std::fmt::Write as _;

/// A report of a campaign or a mission.
#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Document<'r> {
    /// The name of the campaign or mission.
    pub(super) name: &'r str,
    /// What it is a report of.
    pub(super) kind: &'static str,
    /// The report in one line.
    pub(super) title: String,
    /// What it was, by subject.
    pub(super) setting: Vec<(&'static str, String)>,
    /// What a reader must know before any figure.
    pub(super) notices: Vec<String>,
    /// What was found, in one paragraph.
    pub(super) findings: String,
    pub(super) sections: Vec<Section>,
    pub(super) methods: Vec<String>,
    /// What the model leaves out or takes for granted.
    pub(super) limits: &'static [&'static str],
    pub(super) sources: &'r [Source],
    /// What the user's file is of.
    pub(super) file: &'static str,
    /// The file, verbatim.
    pub(super) toml: &'r str,
    /// The version of beamline that made the result.
    pub(super) version: &'r str,
    /// Where else the figures are.
    pub(super) elsewhere: &'static str,
    /// The figure that matters most, by scheme: the plot of the LaTeX form.
    pub(super) plot: Plot<'r>,
}

/// Estimates by scheme, with their intervals.
pub(super) struct Plot<'r> {
    /// What is estimated.
    pub(super) what: &'static str,
    /// The scheme, the estimate and its interval.
    pub(super) rows: Vec<(&'r str, f64, Interval)>,
}

/// What stands under one head.
#[derive(Default)]
pub(super) struct Section {
    pub(super) title: String,
    /// What a reader must know to read the drawing.
    pub(super) caption: String,
    pub(super) legend: Vec<Entry>,
    /// The drawing, where there is one.
    pub(super) svg: Option<String>,
    /// The table, where there is one.
    pub(super) table: Option<Table>,
    /// A paragraph, where there is one.
    pub(super) text: Option<String>,
    /// Whether a page shows it folded.
    pub(super) folded: bool,
}

/// A mark or a colour, as a small drawing, and what it stands for.
pub(super) struct Entry {
    pub(super) svg: String,
    pub(super) text: String,
}

impl Section {
    /// A table under its title.
    pub(super) fn of(table: Table) -> Self {
        Self { title: table.title.clone(), table: Some(table), ..Self::default() }
    }

    /// A drawing.
    pub(super) fn drawn(title: &str, caption: String, svg: String) -> Self {
        Self { title: title.into(), caption, svg: Some(svg), ..Self::default() }
    }

    /// A paragraph.
    pub(super) fn said(title: &str, text: String) -> Self {
        Self { title: title.into(), text: Some(text), ..Self::default() }
    }

    /// With a legend.
    pub(super) fn legend(
        mut self,
        entries: impl IntoIterator<Item = Result<Entry, chart::Failure>>,
    ) -> Result<Self, chart::Failure> {
        for entry in entries {
            self.legend.push(entry?);
        }
        Ok(self)
    }

    /// With a table under the drawing.
    pub(super) fn with(mut self, table: Table) -> Self {
        self.table = Some(table);
        self
    }

    /// Folded on a page.
    pub(super) fn folded(mut self) -> Self {
        self.folded = true;
        self
    }

    /// Whether there is anything under the head.
    pub(super) fn is_filled(&self) -> bool {
        let rows = self.table.as_ref().is_some_and(|table| !table.rows.is_empty());
        rows || self.svg.is_some() || self.text.is_some()
    }
}

impl Document<'_> {
    /// One self-contained page.
    pub(super) fn page(&self) -> Result<String, Error> {
        self.render().map_err(|error| Error::Form(error.to_string()))
    }

    /// The tables and paragraphs as Markdown.
    pub(super) fn markdown(&self) -> String {
        let md = names::markdown;
        let mut text = format!("# {}\n\n", md(&self.title));
        for (subject, setting) in &self.setting {
            let _ = writeln!(text, "- {subject}: {}", md(setting));
        }
        if !self.setting.is_empty() {
            text.push('\n');
        }
        for notice in &self.notices {
            let _ = write!(text, "> {}\n\n", md(notice));
        }
        let _ = writeln!(text, "{}", md(&self.findings));
        for section in &self.sections {
            let title = md(&section.title);
            if let Some(paragraph) = &section.text {
                let _ = write!(text, "\n## {title}\n\n{}\n", md(paragraph));
            }
            if let Some(table) = section.table.as_ref().filter(|table| !table.rows.is_empty()) {
                let (title, caption) = (md(&table.title), md(&table.caption));
                let _ = write!(text, "\n## {title}\n\n{}\n{caption}\n", piped(table));
            }
        }
        text.push_str("\n## Methods\n");
        for paragraph in &self.methods {
            let _ = write!(text, "\n{}\n", md(paragraph));
        }
        if !self.limits.is_empty() {
            text.push_str("\n## Limits of the model\n\n");
            for limit in self.limits {
                let _ = writeln!(text, "- {limit}");
            }
        }
        if !self.sources.is_empty() {
            text.push_str("\n## Sources\n\n");
        }
        for Source { subject, source } in self.sources {
            let _ = writeln!(text, "- {}: {}", md(subject), md(source));
        }
        text
    }

    /// The tables and paragraphs as LaTeX, with `booktabs` for tables. Its plot, by `pgfplots`, reads a CSV
    /// that the document brings with it.
    pub(super) fn latex(&self) -> String {
        let mut text = "\\begin{filecontents*}[overwrite]{\\jobname-plot.csv}\n".to_owned();
        text.push_str("scheme;value;minus;plus\n");
        for (scheme, value, Interval { low, high }) in &self.plot.rows {
            let (name, minus, plus) = (tex(scheme), value - low, high - value);
            let _ = writeln!(text, "{{{name}}};{value:e};{minus:e};{plus:e}");
        }
        text.push_str("\\end{filecontents*}\n");
        text.push_str(LATEX_HEAD);
        let _ = write!(text, "\\title{{{}}}\n\\date{{}}\n", tex(&self.title));
        text.push_str("\\begin{document}\n\\maketitle\n");
        if !self.setting.is_empty() {
            text.push_str("\\begin{description}\n");
            for (subject, setting) in &self.setting {
                let _ = writeln!(text, "\\item[{}] {}", tex(subject), tex(setting));
            }
            text.push_str("\\end{description}\n");
        }
        for notice in &self.notices {
            let _ = write!(text, "\n\\begin{{quote}}{}\\end{{quote}}\n", tex(notice));
        }
        let _ = write!(text, "\n{}\n", tex(&self.findings));
        let _ = write!(text, "{PLOT_HEAD}{{{}}}{PLOT}", tex(self.plot.what));
        for section in &self.sections {
            let rows = section.table.as_ref().filter(|table| !table.rows.is_empty());
            if rows.is_some() || section.text.is_some() {
                let _ = write!(text, "\n\\section*{{{}}}\n", tex(&section.title));
            }
            if let Some(paragraph) = &section.text {
                let _ = writeln!(text, "{}", tex(paragraph));
            }
            if let Some(table) = rows {
                text.push_str(&booktabs(table));
                let _ = write!(text, "\n\\noindent {}\n", tex(&table.caption));
            }
        }
        text.push_str("\n\\section*{Methods}\n");
        for paragraph in &self.methods {
            let _ = write!(text, "\n{}\n", tex(paragraph));
        }
        let mut list = |title: &str, items: &mut dyn Iterator<Item = String>| {
            let items: Vec<String> = items.collect();
            if !items.is_empty() {
                let _ = write!(text, "\n\\section*{{{title}}}\n\\begin{{itemize}}\n");
                items.iter().for_each(|item| text.push_str(&format!("\\item {item}\n")));
                text.push_str("\\end{itemize}\n");
            }
        };
        list("Limits of the model", &mut self.limits.iter().map(|limit| tex(limit)));
        let source = |of: &Source| format!("{}: {}", tex(&of.subject), tex(&of.source));
        list("Sources", &mut self.sources.iter().map(source));
        text.push_str("\\end{document}\n");
        text
    }
}

const LATEX_HEAD: &str = "\\documentclass[10pt,a4paper]{article}
\\usepackage[margin=20mm]{geometry}
\\usepackage{iftex}
\\ifPDFTeX\\usepackage[utf8]{inputenc}\\usepackage[T1]{fontenc}\\usepackage{textcomp}\\fi
\\usepackage{amsmath,booktabs,longtable,array,pgfplots,pgfplotstable}
\\pgfplotsset{compat=1.17}
";

const PLOT_HEAD: &str = "
\\pgfplotstableread[col sep=semicolon]{\\jobname-plot.csv}\\results
\\begin{center}\\begin{tikzpicture}\\begin{axis}[width=0.9\\linewidth,height=60mm,xtick=data,ylabel=";

const PLOT: &str = ",
  xticklabels from table={\\results}{scheme},x tick label style={rotate=30,anchor=east}]
\\addplot+[only marks,error bars/.cd,y dir=both,y explicit] table
  [x expr=\\coordindex,y=value,y error minus=minus,y error plus=plus] {\\results};
\\end{axis}\\end{tikzpicture}\\end{center}
";

/// Characters that a line of a table holds, and a cell of it before it is broken.
const LINE: usize = 96;
const CELL: usize = 40;

/// A table with the rules of `booktabs`, over pages where it is long and in parts where it is wide.
fn booktabs(table: &Table) -> String {
    let widths: Vec<usize> =
        widths(&table.columns, &table.rows).into_iter().map(|width| width.min(CELL)).collect();
    let part = |columns: &Vec<usize>| {
        let side = |at: &usize| match (widths[*at], *at < table.names) {
            (CELL, _) => ">{\\raggedright\\arraybackslash}p{55mm}",
            (_, true) => "l",
            (_, false) => "r",
        };
        let alignment: String = columns.iter().map(side).collect();
        let line = |cells: &[String]| {
            let cells: Vec<String> = columns.iter().map(|at| tex(&cells[*at])).collect();
            format!("{} \\\\\n", cells.join(" & "))
        };
        let rows: String = table.rows.iter().map(|row| line(row)).collect();
        let head = line(&table.columns);
        format!(
            "{{\\footnotesize\\begin{{longtable}}{{@{{}}{alignment}@{{}}}}\n\\toprule\n{head}\\midrule\n\
             \\endhead\n{rows}\\bottomrule\n\\end{{longtable}}}}\n"
        )
    };
    parts(table.names, &widths, LINE).iter().map(part).collect()
}

/// A text in one line that LaTeX prints as it is.
pub(super) fn tex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let line = names::line(text);
    // After the end of a row LaTeX takes a bracket or a star for an option.
    if line.starts_with(['[', '*']) {
        escaped.push_str("{}");
    }
    for c in line.chars() {
        match c {
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', c]),
            '<' | '>' => escaped.extend(['$', c, '$']),
            '×' => escaped.push_str("$\\times$"),
            '·' => escaped.push_str("$\\cdot$"),
            '−' => escaped.push_str("$-$"),
            '≥' => escaped.push_str("$\\geq$"),
            '≤' => escaped.push_str("$\\leq$"),
            '±' => escaped.push_str("$\\pm$"),
            'α' => escaped.push_str("$\\alpha$"),
            'λ' => escaped.push_str("$\\lambda$"),
            'µ' | 'μ' => escaped.push_str("$\\mu$"),
            '²' => escaped.push_str("$^2$"),
            '³' => escaped.push_str("$^3$"),
            '⁻' => escaped.push_str("$^-$"),
            '¹' => escaped.push_str("$^1$"),
            '⁰' => escaped.push_str("$^0$"),
            '⁴'..='⁹' => {
                let digit = u32::from(c) - u32::from('⁰');
                let _ = write!(escaped, "$^{digit}$");
            }
            '₀'..='₉' => {
                let digit = u32::from(c) - u32::from('₀');
                let _ = write!(escaped, "$_{digit}$");
            }
            '°' => escaped.push_str("$^\\circ$"),
            '–' => escaped.push_str("--"),
            '…' => escaped.push_str("\\ldots{}"),
            'β' => escaped.push_str("$\\beta$"),
            'σ' => escaped.push_str("$\\sigma$"),
            'χ' => escaped.push_str("$\\chi$"),
            'Δ' => escaped.push_str("$\\Delta$"),
            '→' => escaped.push_str("$\\to$"),
            '∞' => escaped.push_str("$\\infty$"),
            '≈' => escaped.push_str("$\\approx$"),
            // What the fonts of LaTeX have.
            ' '..='~' | 'À'..='ſ' | '“' | '”' | '‘' | '’' | '—' => escaped.push(c),
            other => {
                let _ = write!(escaped, "\\texttt{{U+{:04X}}}", u32::from(other));
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_latex_obeys_is_printed() {
        assert_eq!(
            tex("a_b & 5 % of $x^2$ {y} \\input"),
            "a\\_b \\& 5 \\% of \\$x\\textasciicircum{}2\\$ \\{y\\} \\textbackslash{}input"
        );
        assert_eq!(tex("[odd] β 字"), "{}[odd] $\\beta$ \\texttt{U+5B57}");
        assert_eq!(tex("10⁻⁴ cm² × 2"), "10$^-$$^4$ cm$^2$ $\\times$ 2");
        assert_eq!(
            tex("one\ntwo"),
            names::line("one\ntwo")
                .replace('\\', "\\textbackslash{}")
                .replace('{', "\\{")
                .replace('}', "\\}")
                .replace("\\textbackslash\\{\\}", "\\textbackslash{}")
        );
    }

    #[test]
    fn a_table_has_its_rules_and_sides() {
        let mut table = Table::new("t", String::new(), &["scheme", "wrong"], 1);
        table.rows.push(["a&b", "5 %"].map(String::from).to_vec());
        let text = booktabs(&table);
        assert!(text.contains("{@{}lr@{}}") && text.contains("\\toprule\nscheme & wrong \\\\\n"));
        assert!(text.contains("a\\&b & 5 \\% \\\\\n\\bottomrule"), "{text}");
    }
}
