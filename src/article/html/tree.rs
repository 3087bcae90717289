//! The size of the tree that a browser builds from a fragment, and the work of building it. No tree is built here.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use html5ever::interface::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, ExpandedName, LocalName, Namespace, ParseOpts, QualName, parse_fragment};

use super::tokens::has_crowded_tags;

/// Maximum nesting of elements. Sanitising takes time in the square of the depth.
pub const MAX_DEPTH: usize = 256;

/// Maximum number of elements, with those that a browser adds where an element has no end tag.
pub const MOST_ELEMENTS: usize = 400_000;

/// Maximum number of steps of a parser: comparisons of names on its stack, and siblings that it passes to find the place of a
/// node. A parser takes about ten steps for a tag, and one for each sibling of a node that is moved out of a table.
pub const MOST_STEPS: usize = 400_000_000;

/// Maximum number of bytes of attributes, beside twice the length of the text. A parser copies the attributes of each `<b>` that
/// is open at the end of its paragraph.
const MOST_COPIED: usize = 16 << 20;

/// Elements that a parser opens again after an end tag has closed them (WHATWG HTML section 13.2.4.3).
const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Steps to compare an attribute: it is copied, sorted among the other attributes and compared.
const COMPARISON: usize = 100;

/// Memory for an attribute beside its name and value, in bytes.
const ATTRIBUTE: usize = 16;

/// Number of bytes that are parsed between two checks of the limits.
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
    /// Whether the tree of a text of `length` bytes would take too much time or memory.
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

/// The size of the tree of a fragment. The counts stop soon after one of them exceeds its limit.
pub fn size(html: &str) -> TreeSize {
    // The context of `ammonia`, so that the tree is the same.
    let context = QualName::new(None, Namespace::from("http://www.w3.org/1999/xhtml"), LocalName::from("div"));
    let mut parser = parse_fragment(Gauge::default(), ParseOpts::default(), context, Vec::new(), false);
    // The parser has added its root and its context, which are no elements of the text.
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

/// A sink that counts the nodes of a tree and forgets them.
#[derive(Default)]
struct Gauge {
    document: Rc<Node>,
    size: Cell<TreeSize>,
}

/// A node. It lives as long as the parser refers to it or to a node in it.
#[derive(Default)]
struct Node {
    name: Option<QualName>,
    parent: RefCell<Option<Rc<ParentLink>>>,
    /// The link that the children of this node have in common, as long as one of them lives.
    link: RefCell<Weak<ParentLink>>,
    /// Number of levels below this node.
    height: Cell<usize>,
    children: Cell<usize>,
    attributes: Cell<usize>,
    ends_with_text: Cell<bool>,
    /// The content of a `<template>`, which is a tree of its own.
    content: Option<Rc<Node>>,
    is_integration_point: bool,
}

/// Leads from the children of a node to the node, so that all of them move together.
struct ParentLink {
    parent: RefCell<Rc<Node>>,
}

impl Node {
    fn parent(&self) -> Option<Rc<Node>> {
        self.parent.borrow().as_ref().map(|link| Rc::clone(&link.parent.borrow()))
    }

    fn ancestors(&self) -> impl Iterator<Item = Rc<Node>> {
        std::iter::successors(self.parent(), |node| node.parent())
    }

    fn set_parent(&self, parent: &Rc<Node>) {
        let mut link = parent.link.borrow_mut();
        let shared = link.upgrade().unwrap_or_else(|| Rc::new(ParentLink { parent: RefCell::new(Rc::clone(parent)) }));
        *link = Rc::downgrade(&shared);
        self.parent.replace(Some(shared));
    }

    /// Steps to compare the attributes of a formatting element with those of each of its name around it.
    fn comparisons(&self) -> usize {
        let Some(name) = self.name.as_ref().filter(|name| FORMATTING.contains(&&*name.local)) else { return 0 };
        let count = self.ancestors().filter(|node| node.name.as_ref() == Some(name)).count();
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

    /// Adds a child. Its place among the children does not matter.
    fn adopt(&self, parent: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        parent.children.set(parent.children.get() + 1);
        let NodeOrText::AppendNode(child) = child else { return };
        child.set_parent(parent);
        let mut levels = child.height.get() + 1;
        for node in child.ancestors() {
            node.height.set(node.height.get().max(levels));
            // The document and the content of a template are no elements.
            levels += usize::from(node.name.is_some());
        }
        self.count(|size| {
            // The root of the parser does not count.
            size.depth = size.depth.max(levels - 1);
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
        if let Some(parent) = sibling.parent() {
            self.steps(parent.children.get());
            self.adopt(&parent, child);
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
        content.set_parent(target);
        Rc::clone(content)
    }

    fn same_node(&self, one: &Rc<Node>, other: &Rc<Node>) -> bool {
        self.steps(1);
        Rc::ptr_eq(one, other)
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn add_attrs_if_missing(&self, target: &Rc<Node>, attributes: Vec<Attribute>) {
        target.attributes.set(target.attributes.get() + attributes.len());
        // Each attribute is copied and hashed.
        self.steps(target.attributes.get() * COMPARISON / 2);
    }

    fn remove_from_parent(&self, target: &Rc<Node>) {
        if let Some(parent) = target.parent() {
            target.parent.take();
            self.steps(parent.children.get());
            parent.children.set(parent.children.get().saturating_sub(1));
            parent.ends_with_text.set(false);
        }
    }

    fn reparent_children(&self, node: &Rc<Node>, new_parent: &Rc<Node>) {
        self.steps(node.children.get());
        new_parent.children.set(new_parent.children.get() + node.children.take());
        new_parent.height.set(new_parent.height.get().max(node.height.take()));
        // The new parent is an element that the parser has just made.
        if let Some(link) = node.link.take().upgrade() {
            link.parent.replace(Rc::clone(new_parent));
            new_parent.link.replace(Rc::downgrade(&link));
        }
        node.ends_with_text.set(false);
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Rc<Node>) -> bool {
        target.is_integration_point
    }
}
