//! Measures the tree that a browser builds from a fragment, and the work of building it. The tree itself is not kept.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use html5ever::interface::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, ExpandedName, LocalName, Namespace, ParseOpts, QualName, parse_fragment};

use super::tokens::has_crowded_tags;
use super::{MAX_DEPTH, MOST_ELEMENTS};

/// Most steps of a parser: names compared on its stack, and siblings passed to find the place of a node. A parser takes about
/// ten for a tag, and as many as there are siblings for each node that stands in a table where no node may stand.
pub const MOST_STEPS: usize = 400_000_000;

/// Most bytes of attributes, beside twice the length of the text. A parser copies those of each `<b>` that is open across the
/// end of its paragraph.
const MOST_COPIED: usize = 16 << 20;

/// Elements that a parser opens again where they were cut off (WHATWG HTML section 13.2.4.3).
const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Steps to compare an attribute: it is copied, sorted among its neighbours and compared.
const COMPARISON: usize = 100;

/// What an attribute takes beside its name and value, in bytes.
const ATTRIBUTE: usize = 16;

/// Bytes that are measured between two looks at the limits.
const PART: usize = 4096;

/// The size of a tree.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TreeSize {
    /// Deepest nesting of elements.
    pub depth: usize,
    /// Number of elements, with those that a browser adds.
    pub elements: usize,
    /// Steps of the parser; see [`MOST_STEPS`].
    pub steps: usize,
    /// Bytes of attributes, with each copy.
    pub attributes: usize,
}

impl TreeSize {
    /// Whether the tree of a text of `length` bytes takes more time or room than there is.
    fn is_too_much(&self, length: usize) -> bool {
        self.depth > MAX_DEPTH
            || self.elements > MOST_ELEMENTS
            || self.steps > MOST_STEPS
            || self.attributes > MOST_COPIED + 2 * length
    }
}

/// Whether the tree of a fragment would take too much time or memory. A tag that the end of the fragment cuts off is not measured.
pub fn is_too_much(html: &str) -> bool {
    has_crowded_tags(html) || size(html).is_too_much(html.len())
}

/// Measures a fragment. The counts stop soon after one is over its limit.
pub fn size(html: &str) -> TreeSize {
    // The context of `ammonia`, so that the tree is the one that it builds.
    let context = QualName::new(None, Namespace::from("http://www.w3.org/1999/xhtml"), LocalName::from("div"));
    let mut parser = parse_fragment(Gauge::default(), ParseOpts::default(), context, Vec::new(), false);
    // The root and the context are elements of the parser, not of the text.
    parser.tokenizer.sink.sink.size.set(TreeSize::default());
    let mut rest = html;
    while !rest.is_empty() {
        let part;
        (part, rest) = rest.split_at(rest.floor_char_boundary(PART));
        parser.process(StrTendril::from_slice(part));
        let size = parser.tokenizer.sink.sink.size.get();
        if size.is_too_much(html.len()) {
            return size;
        }
    }
    parser.finish()
}

/// A sink that counts what a tree would hold.
#[derive(Default)]
struct Gauge {
    document: Rc<Node>,
    size: Cell<TreeSize>,
}

/// A node that is still open, or is the parent of one. Of its children only the number is known.
#[derive(Default)]
struct Node {
    name: Option<QualName>,
    parent: RefCell<Option<Rc<Node>>>,
    depth: Cell<usize>,
    children: Cell<usize>,
    attributes: Cell<usize>,
    ends_with_text: Cell<bool>,
    /// The content of a `<template>`, which stands apart from it.
    content: Option<Rc<Node>>,
    is_integration_point: bool,
}

impl Node {
    /// Steps to compare the attributes of a formatting element with those of each of its name around it.
    fn comparisons(&self) -> usize {
        let Some(name) = self.name.as_ref().filter(|name| FORMATTING.contains(&&*name.local)) else { return 0 };
        let around = std::iter::successors(self.parent.borrow().clone(), |node| node.parent.borrow().clone());
        let count = around.filter(|node| node.name.as_ref() == Some(name)).count();
        count * (self.attributes.get() + 1) * COMPARISON
    }
}

impl Gauge {
    fn count(&self, change: impl FnOnce(&mut TreeSize)) {
        let mut size = self.size.get();
        change(&mut size);
        self.size.set(size);
    }

    fn steps(&self, steps: usize) {
        self.count(|size| size.steps += steps);
    }

    /// Adds a child at any place.
    fn adopt(&self, parent: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        let NodeOrText::AppendNode(child) = child else {
            parent.children.set(parent.children.get() + 1);
            return;
        };
        parent.children.set(parent.children.get() + 1);
        child.depth.set(parent.depth.get() + 1);
        child.parent.replace(Some(Rc::clone(parent)));
        self.count(|size| {
            // The document and its root are no part of the fragment.
            size.depth = size.depth.max(child.depth.get() - 1);
            size.steps += child.comparisons();
        });
    }
}

impl TreeSink for Gauge {
    type Handle = Rc<Node>;
    type Output = TreeSize;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> TreeSize {
        self.size.get()
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> Rc<Node> {
        Rc::clone(&self.document)
    }

    fn elem_name<'a>(&'a self, target: &'a Rc<Node>) -> ExpandedName<'a> {
        self.steps(1);
        target.name.as_ref().expect("a parser asks for the names of elements only").expanded()
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Rc<Node> {
        let length = |attribute: &Attribute| ATTRIBUTE + attribute.name.local.len() + attribute.value.len();
        self.count(|size| {
            size.elements += 1;
            size.attributes += attributes.iter().map(length).sum::<usize>();
        });
        Rc::new(Node {
            name: Some(name),
            attributes: Cell::new(attributes.len()),
            content: flags.template.then(Rc::default),
            is_integration_point: flags.mathml_annotation_xml_integration_point,
            ..Node::default()
        })
    }

    fn create_comment(&self, _text: StrTendril) -> Rc<Node> {
        Rc::default()
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> Rc<Node> {
        Rc::default()
    }

    fn append(&self, parent: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        let is_text = matches!(child, NodeOrText::AppendText(_));
        if !(parent.ends_with_text.replace(is_text) && is_text) {
            self.adopt(parent, child);
        }
    }

    fn append_before_sibling(&self, sibling: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        if let NodeOrText::AppendNode(child) = &child {
            self.remove_from_parent(child);
        }
        if let Some(parent) = &*sibling.parent.borrow() {
            self.steps(parent.children.get());
            self.adopt(parent, child);
        }
    }

    fn append_based_on_parent_node(&self, element: &Rc<Node>, previous: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        if element.parent.borrow().is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {}

    fn get_template_contents(&self, target: &Rc<Node>) -> Rc<Node> {
        let content = target.content.as_ref().expect("a parser asks for the content of a template only");
        content.depth.set(target.depth.get());
        Rc::clone(content)
    }

    fn same_node(&self, one: &Rc<Node>, other: &Rc<Node>) -> bool {
        self.steps(1);
        Rc::ptr_eq(one, other)
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn add_attrs_if_missing(&self, target: &Rc<Node>, attributes: Vec<Attribute>) {
        target.attributes.set(target.attributes.get() + attributes.len());
        // Each is copied and hashed.
        self.steps(target.attributes.get() * COMPARISON / 2);
    }

    fn remove_from_parent(&self, target: &Rc<Node>) {
        if let Some(parent) = target.parent.take() {
            self.steps(parent.children.get());
            parent.children.set(parent.children.get().saturating_sub(1));
            parent.ends_with_text.set(false);
        }
    }

    fn reparent_children(&self, node: &Rc<Node>, new_parent: &Rc<Node>) {
        self.steps(node.children.get());
        new_parent.children.set(new_parent.children.get() + node.children.take());
        node.ends_with_text.set(false);
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Rc<Node>) -> bool {
        target.is_integration_point
    }
}
