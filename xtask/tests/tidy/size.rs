//! How long a file and a function may be, how a file opens, and how many parameters a function takes.
//!
//! The ceilings of the house; what a file should aim at (200 lines, functions of 25) is for the reviewer.
//! A closure and the block of a constant count as functions, and so does what a macro is given or makes: each function
//! in it, and a body that is statements.

use crate::tree::{self, Finding, Source, report};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{
    Expr, ExprClosure, ExprConst, ImplItemFn, ItemConst, ItemFn, ItemStatic, Macro, Signature, TraitItemFn,
    spanned::Spanned, visit::Visit,
};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const PARAMETERS: usize = 5;
const README_LINES: usize = 149;

#[test]
fn files_stay_under_their_ceiling() {
    let advice = "Split the file by what it is about; a reader holds one subject at a time.";
    report(advice, tree::rust().iter().filter_map(|file| too_long(file, FILE_LINES)));
}

#[test]
fn the_readme_stays_short() {
    let advice = "Move what only some readers need into docs/ and link it.";
    report(advice, too_long(&Source::read("README.md"), README_LINES));
}

#[test]
fn files_say_what_they_are_for() {
    let advice = "Open the file with `//!`: what it is for, and what it is not.";
    report(advice, tree::rust().iter().filter_map(opening));
}

#[test]
fn functions_stay_small() {
    let advice = "Name the parts of a long function; give parameters that travel together a struct.";
    report(advice, tree::rust().iter().flat_map(functions));
}

fn too_long(file: &Source, ceiling: usize) -> Option<Finding> {
    let lines = file.text.lines().count();
    (lines > ceiling).then(|| file.finding(lines, format!("{lines} lines, at most {ceiling}")))
}

fn opening(file: &Source) -> Option<Finding> {
    let said = file.text.lines().next().and_then(|line| line.strip_prefix("//!"));
    said.is_none_or(|text| text.trim().is_empty())
        .then(|| file.finding(1, "no `//!` sentence in the first line"))
}

fn functions(file: &Source) -> Vec<Finding> {
    let syntax = match file.parse() {
        Ok(syntax) => syntax,
        Err(finding) => return vec![finding],
    };
    let mut functions = Functions { file, findings: Vec::new() };
    functions.visit_file(&syntax);
    functions.findings
}

struct Functions<'a> {
    file: &'a Source,
    findings: Vec<Finding>,
}

impl Functions<'_> {
    fn check(&mut self, signature: &Signature, last_line: usize) {
        let (name, line) = (&signature.ident, signature.span().start().line);
        self.measure(&format!("`{name}`"), line, last_line);
        let parameters =
            signature.inputs.iter().filter(|input| matches!(input, syn::FnArg::Typed(_))).count();
        if parameters > PARAMETERS {
            let what = format!("`{name}` takes {parameters} parameters, at most {PARAMETERS} besides self");
            self.findings.push(self.file.finding(line, what));
        }
    }

    fn measure(&mut self, name: &str, first_line: usize, last_line: usize) {
        let lines = last_line + 1 - first_line;
        if lines > FUNCTION_LINES {
            let what = format!("{name} has {lines} lines, at most {FUNCTION_LINES}");
            self.findings.push(self.file.finding(first_line, what));
        }
    }

    fn measure_whole(&mut self, name: &str, part: &impl Spanned) {
        self.measure(name, part.span().start().line, part.span().end().line);
    }

    /// The functions among the tokens of a macro, and the brackets that hold statements.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let is_word =
            |token: &TokenTree, word: &str| matches!(token, TokenTree::Ident(ident) if ident == word);
        let mut function = None;
        for (at, token) in tokens.iter().enumerate() {
            if is_word(token, "fn") {
                function = tokens.get(at + 1).map(|name| (format!("`{name}`"), token.span().start().line));
            }
            let TokenTree::Group(group) = token else { continue };
            if group.delimiter() == Delimiter::Brace {
                let last = group.span_close().end().line;
                if let Some((name, first)) = function.take() {
                    self.measure(&name, first, last);
                } else if group.stream().into_iter().any(|token| is_word(&token, "let")) {
                    self.measure("a macro's body", group.span_open().start().line, last);
                }
            }
            self.tokens(group.stream());
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.check(&function.sig, function.span().end().line);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.check(&function.sig, function.span().end().line);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.check(&function.sig, function.span().end().line);
        syn::visit::visit_trait_item_fn(self, function);
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.measure_whole("a closure", closure);
        syn::visit::visit_expr_closure(self, closure);
    }

    fn visit_expr_const(&mut self, block: &'ast ExprConst) {
        self.measure_whole("a constant's block", block);
        syn::visit::visit_expr_const(self, block);
    }

    fn visit_item_const(&mut self, constant: &'ast ItemConst) {
        if let Expr::Block(block) = &*constant.expr {
            self.measure_whole("a constant's block", block);
        }
        syn::visit::visit_item_const(self, constant);
    }

    fn visit_item_static(&mut self, value: &'ast ItemStatic) {
        if let Expr::Block(block) = &*value.expr {
            self.measure_whole("a static's block", block);
        }
        syn::visit::visit_item_static(self, value);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.tokens(call.tokens.clone());
    }
}

#[test]
fn sample_files() {
    assert_eq!(opening(&Source::new("a.rs", "//! A file.\n")), None);
    assert!(opening(&Source::new("a.rs", "\n//! Too late.\n")).is_some());
    assert!(opening(&Source::new("a.rs", "//!\n")).is_some());
    assert!(opening(&Source::new("a.rs", "")).is_some());

    assert_eq!(too_long(&Source::new("a.rs", &"//\n".repeat(600)), 600), None);
    assert!(too_long(&Source::new("a.rs", &"//\n".repeat(601)), 600).is_some());
}

#[test]
fn sample_functions() {
    let found = |text: &str| {
        functions(&Source::new("a.rs", text)).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let body = |lines: usize| format!("/// Doc.\n#[test]\nfn long() {{\n{}}}\n", "    ();\n".repeat(lines));

    assert_eq!(found(&body(68)), "");
    assert_eq!(found(&body(69)), "a.rs:3: `long` has 71 lines, at most 70");
    assert!(found(&format!("trait T {{\n{}\n}}", body(69))).contains("`long` has 71 lines"));
    assert!(found(&format!("impl T {{\n{}\n}}", body(69))).contains("`long` has 71 lines"));
    assert!(found(&format!("fn outer() {{ mod inner {{ {} }} }}", body(69))).contains("`long` has 71 lines"));

    let lines = "();\n".repeat(70);
    assert_eq!(
        found(&format!("const A: fn() = || {{\n{lines}}};")),
        "a.rs:1: a closure has 72 lines, at most 70"
    );
    for block in ["const A: u8 = {", "static A: u8 = {", "const A: u8 = const {"] {
        assert!(found(&format!("{block}\n{lines}1 }};")).contains("block has 72 lines"), "{block}");
    }
    assert!(found(&format!("macro_rules! m {{ () => {{ {} }} }}", body(69))).contains("`long` has 71 lines"));
    assert!(found(&format!("given! {{ {} }}", body(69))).contains("`long` has 71 lines"));
    let statements = format!("macro_rules! m {{ () => {{\nlet a = 1;\n{lines}}} }}");
    assert_eq!(found(&statements), "a.rs:1: a macro's body has 73 lines, at most 70");
    let items = "pub mod a {}\n".repeat(90);
    assert_eq!(found(&format!("macro_rules! m {{ () => {{\n{items}}} }}")), "");

    assert_eq!(found("impl T { fn five(&self, a: u8, b: u8, c: u8, d: u8, e: u8) {} }"), "");
    assert!(
        found("fn six(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {}").contains("`six` takes 6 parameters")
    );
    assert!(found("fn broken( {}").contains("a.rs:1:"));
}
