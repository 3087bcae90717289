use super::parts::MAX_PART;
use super::*;
use crate::folder::zip::tests::pack;

const W: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" \
    xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\" \
    xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" \
    xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\" \
    xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\"";
const O: &str = "xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
    xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" xmlns:style=\"urn:oasis:names:tc:opendocument:xmlns:style:1.0\" \
    xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" xmlns:draw=\"urn:oasis:names:tc:opendocument:xmlns:drawing:1.0\" \
    xmlns:fo=\"urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
    xmlns:svg=\"urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0\" xmlns:meta=\"urn:oasis:names:tc:opendocument:xmlns:meta:1.0\" \
    xmlns:dc=\"http://purl.org/dc/elements/1.1/\"";
/// The start of a PNG.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x0a\0\0\0\x0a\x08\x02\0\0\0\0\0\0\0";

const STYLES: &str = "<w:style w:styleId=\"Titel\"><w:name w:val=\"Title\"/></w:style>\
    <w:style w:styleId=\"berschrift1\"><w:name w:val=\"heading 1\"/></w:style>\
    <w:style w:styleId=\"Eigen\"><w:name w:val=\"My own\"/><w:basedOn w:val=\"berschrift1\"/></w:style>\
    <w:style w:styleId=\"Zitat\"><w:name w:val=\"Quote\"/></w:style>\
    <w:style w:styleId=\"Code\"><w:name w:val=\"HTML Preformatted\"/></w:style>\
    <w:style w:styleId=\"Verz\"><w:name w:val=\"toc 1\"/></w:style>\
    <w:style w:styleId=\"Bild\"><w:name w:val=\"caption\"/></w:style>\
    <w:style w:styleId=\"Weg\"><w:name w:val=\"Gone\"/><w:rPr><w:vanish/></w:rPr></w:style>\
    <w:style w:styleId=\"Circle\"><w:name w:val=\"Circle\"/><w:basedOn w:val=\"Circle\"/></w:style>";
const NUMBERING: &str = "<w:abstractNum w:abstractNumId=\"1\"><w:lvl w:ilvl=\"0\"><w:start w:val=\"1\"/><w:numFmt w:val=\"decimal\"/></w:lvl>\
    <w:lvl w:ilvl=\"1\"><w:numFmt w:val=\"bullet\"/></w:lvl></w:abstractNum>\
    <w:num w:numId=\"4\"><w:abstractNumId w:val=\"1\"/></w:num>";

/// A `.docx` with this body.
fn docx(body: &str) -> Vec<u8> {
    let document = format!("<?xml version=\"1.0\"?><w:document {W}><w:body>{body}</w:body></w:document>");
    let relations = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
        <Relationship Id=\"rId1\" Type=\"x/image\" Target=\"media/image1.png\"/>\
        <Relationship Id=\"rId2\" Type=\"x/hyperlink\" Target=\"https://a.example/?b=1&amp;c=2\" TargetMode=\"External\"/>\
        <Relationship Id=\"rId3\" Type=\"x/image\" Target=\"media/image2.emf\"/></Relationships>";
    let notes = format!(
        "<w:footnotes {W}><w:footnote w:id=\"-1\"><w:p/></w:footnote><w:footnote w:id=\"2\"><w:p><w:r><w:footnoteRef/></w:r>\
         <w:r><w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>"
    );
    let core = "<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
        xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:dcterms=\"http://purl.org/dc/terms/\"><dc:title>Of the properties</dc:title>\
        <dc:creator>Ann Lee</dc:creator><cp:keywords>sea, boats</cp:keywords><dcterms:created>2013-12-23T23:15:00Z</dcterms:created>\
        <dc:language>de-DE</dc:language></cp:coreProperties>";
    let (styles, numbering) =
        (format!("<w:styles {W}>{STYLES}</w:styles>"), format!("<w:numbering {W}>{NUMBERING}</w:numbering>"));
    pack(&[
        ("word/document.xml", document.as_bytes()),
        ("word/_rels/document.xml.rels", relations.as_bytes()),
        ("word/styles.xml", styles.as_bytes()),
        ("word/numbering.xml", numbering.as_bytes()),
        ("word/footnotes.xml", notes.as_bytes()),
        ("docProps/core.xml", core.as_bytes()),
        ("word/media/image1.png", PNG),
        ("word/media/image2.emf", b"\x01\0\0\0 no picture that browsers show"),
    ])
}

/// An `.odt` with this text.
fn odt(text: &str) -> Vec<u8> {
    let styles = "<style:style style:name=\"T1\" style:family=\"text\"><style:text-properties fo:font-weight=\"bold\"/></style:style>\
        <style:style style:name=\"T2\" style:family=\"text\"><style:text-properties text:display=\"none\"/></style:style>\
        <style:style style:name=\"T3\" style:family=\"text\"><style:text-properties style:text-position=\"super 58%\"/></style:style>\
        <style:style style:name=\"P1\" style:family=\"paragraph\" style:parent-style-name=\"Title\"/>\
        <style:style style:name=\"Gone\" style:family=\"table\"><style:table-properties table:display=\"false\"/></style:style>\
        <style:style style:name=\"P2\" style:family=\"paragraph\" style:parent-style-name=\"Quotations\"/>\
        <text:list-style style:name=\"L1\"><text:list-level-style-number text:level=\"1\" style:num-format=\"1\"/>\
        <text:list-level-style-bullet text:level=\"2\"/></text:list-style>";
    let content = format!(
        "<office:document-content {O}><office:automatic-styles>{styles}</office:automatic-styles><office:body><office:text>{text}\
         </office:text></office:body></office:document-content>"
    );
    let meta = format!(
        "<office:document-meta {O}><office:meta><dc:title>Of the properties</dc:title><meta:initial-creator>Ann Lee</meta:initial-creator>\
         <meta:keyword>sea</meta:keyword><meta:keyword>boats</meta:keyword></office:meta></office:document-meta>"
    );
    pack(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", content.as_bytes()),
        ("meta.xml", meta.as_bytes()),
        ("Pictures/1.png", PNG),
    ])
}

fn reading(bytes: &[u8], name: &str) -> Reading {
    read(bytes, Path::new(name), &Inherited::default(), Rules { clean: Clean::Safe, timezone: chrono_tz::UTC })
}

fn article_of(bytes: &[u8], name: &str) -> crate::article::Article {
    match reading(bytes, name).verdict {
        Verdict::Publish(article) => *article,
        other => panic!("{other:?}"),
    }
}

fn p(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

fn styled(style: &str, text: &str) -> String {
    format!("<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>")
}

fn item(depth: usize, text: &str) -> String {
    format!(
        "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"{depth}\"/><w:numId w:val=\"4\"/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"
    )
}

#[test]
fn paragraphs_headings_and_looks_of_word() {
    let run =
        |look: &str, text: &str| format!("<w:r><w:rPr>{look}</w:rPr><w:t xml:space=\"preserve\">{text}</w:t></w:r>");
    let body = [
        styled("Titel", "The &amp; storm"),
        format!(
            "<w:p>{}{}{}{}{}{}</w:p>",
            run("", "Plain "),
            run("<w:b/>", "bold "),
            run("<w:b/><w:i/>", "both"),
            run("<w:strike/>", "gone"),
            run("<w:rFonts w:ascii=\"Courier New\"/>", "code"),
            run("<w:vertAlign w:val=\"superscript\"/>", "2")
        ),
        styled("berschrift1", "First"),
        styled("Eigen", "Second"),
        styled("Zitat", "Said one."),
        styled("Zitat", "Said two."),
        styled("Code", "fn a() {"),
        styled("Code", "}"),
        styled("Verz", "First 1"),
        styled("Circle", "Around"),
        "<w:p><w:r><w:t>One</w:t><w:br/><w:t>two</w:t><w:tab/><w:t>three</w:t><w:br w:type=\"page\"/></w:r></w:p>"
            .to_owned(),
    ];
    let article = article_of(&docx(&body.concat()), "a.docx");
    assert_eq!(article.title, "The & storm");
    assert_eq!(
        article.html,
        "<p>Plain <strong>bold <em></em></strong></p>".replace(
            "<strong>bold <em></em></strong>",
            "<strong>bold </strong><strong><em>both</em></strong><del>gone</del><code>code</code><sup>2</sup>"
        ) + "\n<h2>First</h2>\n<h2>Second</h2>\n<blockquote>\n<p>Said one.</p>\n<p>Said two.</p>\n</blockquote>\n\
               <pre><code>fn a() {\n}\n</code></pre>\n<p>Around</p>\n<p>One<br>\ntwo three</p>\n"
    );
    assert_eq!((article.authors[0].name.as_str(), article.tags.join("|").as_str()), ("Ann Lee", "sea|boats"));
    assert_eq!(
        (article.language.as_deref(), article.published),
        (Some("de-DE"), None),
        "a date of the file may be that of its template"
    );
}

#[test]
fn links_notes_pictures_lists_and_tables_of_word() {
    let picture = "<w:p><w:r><w:drawing><wp:inline><wp:docPr id=\"1\" name=\"x\" descr=\"A &lt;boat&gt;\"/><a:blip r:embed=\"rId1\"/>\
                   </wp:inline></w:drawing></w:r></w:p>";
    let body = [
        "<w:p><w:hyperlink r:id=\"rId2\"><w:r><w:t>there</w:t></w:r></w:hyperlink><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r>\
         <w:instrText> HYPERLINK \"https://b.example/\" </w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"separate\"/></w:r><w:r><w:t>and there\
         </w:t></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r><w:r><w:t>.</w:t><w:footnoteReference w:id=\"2\"/></w:r></w:p>"
            .to_owned(),
        picture.to_owned(),
        styled("Bild", "The boat"),
        picture.replace("rId1", "rId3"),
        item(0, "one"),
        item(1, "inner"),
        item(0, "two"),
        p("Between"),
        item(0, "three"),
        "<w:tbl><w:tr><w:trPr><w:tblHeader/></w:trPr><w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr><w:p><w:r><w:t>Head</w:t></w:r></w:p></w:tc></w:tr>\
         <w:tr><w:tc><w:tcPr><w:vMerge w:val=\"restart\"/></w:tcPr><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr>\
         <w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc><w:tc><w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
            .to_owned(),
    ];
    let read = reading(&docx(&body.concat()), "a b.docx");
    let Verdict::Publish(article) = read.verdict else { panic!("{read:?}") };
    assert_eq!(article.title, "Of the properties");
    let start = article.html.find("<img src=\"a%20b.docx/").unwrap();
    let hash = article.html[start + 21..].split(".png\"").next().unwrap();
    assert_eq!(hash.len(), 32);
    assert_eq!(
        article.html.replace(hash, "HASH"),
        "<p><a href=\"https://a.example/?b=1&amp;c=2\">there</a><a href=\"https://b.example/\">and there</a>.\
         <sup id=\"fnref-1\"><a href=\"#fn-1\">1</a></sup></p>\n\
         <figure><img src=\"a%20b.docx/HASH.png\" alt=\"A &lt;boat&gt;\"><figcaption>The boat</figcaption></figure>\n\
         \n<ol>\n<li>one\n<ul>\n<li>inner</li>\n</ul>\n</li>\n<li>two</li>\n</ol>\n<p>Between</p>\n\n<ol start=\"3\">\n<li>three</li>\n</ol>\n\
         <table>\n<thead>\n<tr><th colspan=\"2\">Head</th></tr>\n</thead>\n<tbody>\n<tr><td rowspan=\"2\">a</td><td>b</td></tr>\n<tr><td>c</td></tr>\n\
         </tbody>\n</table>\n\
         <div class=\"footnote-definition\" id=\"fn-1\"><sup>1</sup>\n<p>A note. <a href=\"#fnref-1\">↩</a></p>\n</div>\n"
    );
    let remarks: Vec<&str> = read.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(remarks, ["pictures of the document that browsers do not show: 1; save them as PNG or JPEG"]);
}

#[test]
fn what_is_not_for_readers_is_never_read() {
    let secret = "SECRET";
    let hidden = format!("<w:r><w:rPr><w:vanish/></w:rPr><w:t>{secret}</w:t></w:r>");
    let body = [
        format!(
            "<w:p><w:del><w:r><w:delText>{secret}</w:delText></w:r></w:del><w:ins><w:r><w:t>New</w:t></w:r></w:ins>{hidden}</w:p>"
        ),
        format!(
            "<w:p><w:moveFrom><w:r><w:t>{secret}</w:t></w:r></w:moveFrom><w:r><w:commentReference w:id=\"1\"/><w:t> text</w:t></w:r></w:p>"
        ),
        styled("Weg", secret),
        "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>One </w:t></w:r></w:p>".to_owned() + &p("paragraph"),
        format!("<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc>{}</w:tc><w:tc/></w:tr></w:tbl>", p(secret)),
        format!(
            "<w:p><w:r><w:fldChar w:fldCharType=\"begin\"/><w:t>{secret}</w:t><w:fldChar w:fldCharType=\"end\"/></w:r></w:p>"
        ),
    ];
    let article = article_of(&docx(&body.concat()), "a.docx");
    assert_eq!(article.html, "<p>New</p>\n<p>text</p>\n<p>One paragraph</p>\n");
    let text = format!(
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>{secret}</text:p></text:deletion></text:changed-region></text:tracked-changes>\
         <text:p>New<office:annotation><text:p>{secret}</text:p></office:annotation><text:span text:style-name=\"T2\">{secret}</text:span></text:p>\
         <text:section text:display=\"none\"><text:p>{secret}</text:p></text:section>\
         <text:p><text:hidden-text text:string-value=\"x\">{secret}</text:hidden-text> text</text:p>"
    );
    assert_eq!(article_of(&odt(&text), "a.odt").html, "<p>New</p>\n<p>text</p>\n");
}

#[test]
fn what_libreoffice_hides_stays_hidden() {
    let field = |state: &str| format!("<text:p><text:hidden-paragraph {state}/>TEXT</text:p>");
    let row = |state: &str, text: &str| {
        format!(
            "<table:table-row {state}><table:table-cell><text:p>{text}</text:p></table:table-cell></table:table-row>"
        )
    };
    let table = |columns: &str, rows: &str| format!("<table:table>{columns}{rows}</table:table>");
    let two = "<table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell><text:p>TEXT</text:p>\
               </table:table-cell></table:table-row>";
    for (text, is_shown) in [
        (field("text:condition=\"ooow:1\" text:is-hidden=\"true\""), false),
        (field("text:condition=\"ooow:x eq 1\" text:is-hidden=\"true\""), false),
        (field("text:condition=\"ooow:1\""), false),
        (field(""), false),
        (field("text:condition=\"ooow:x eq 1\""), true),
        (field("text:condition=\"ooow:0\" text:is-hidden=\"false\""), true),
        (
            "<text:p><text:span>a <text:hidden-paragraph text:is-hidden=\"true\"/></text:span><text:span text:style-name=\"T1\">\
             TEXT</text:span><text:note><text:note-body><text:p>TEXT</text:p></text:note-body></text:note></text:p>"
                .to_owned(),
            false,
        ),
        ("<text:h><text:hidden-paragraph text:is-hidden=\"true\"/>TEXT</text:h>".to_owned(), false),
        (
            "<text:list><text:list-item><text:p><text:hidden-paragraph text:is-hidden=\"true\"/>TEXT</text:p></text:list-item>\
             </text:list>"
                .to_owned(),
            false,
        ),
        (
            "<text:p>a<text:note><text:note-body><text:p><text:hidden-paragraph text:is-hidden=\"true\"/>b</text:p></text:note-body>\
             </text:note> TEXT</text:p>"
                .to_owned(),
            true,
        ),
        (
            "<text:p><text:conditional-text text:condition=\"ooow:x\" text:current-value=\"true\">TEXT</text:conditional-text></text:p>"
                .to_owned(),
            true,
        ),
        ("<text:p><text:hidden-text text:is-hidden=\"true\">TEXT</text:hidden-text></text:p>".to_owned(), false),
        ("<text:p><text:hidden-text text:condition=\"ooow:x\">TEXT</text:hidden-text></text:p>".to_owned(), true),
        ("<text:p><text:variable-set text:display=\"none\">TEXT</text:variable-set></text:p>".to_owned(), false),
        ("<text:p><text:variable-set>TEXT</text:variable-set></text:p>".to_owned(), true),
        ("<text:section text:display=\"none\"><text:p>TEXT</text:p></text:section>".to_owned(), false),
        (
            "<text:section text:display=\"condition\" text:condition=\"ooow:x\" text:is-hidden=\"true\"><text:p>TEXT</text:p></text:section>"
                .to_owned(),
            false,
        ),
        (
            "<text:section text:display=\"condition\" text:condition=\"ooow:x\"><text:p>TEXT</text:p></text:section>".to_owned(),
            true,
        ),
        (table("", &(row("", "a") + &row("table:visibility=\"collapse\"", "TEXT"))), false),
        (table("", &(row("", "a") + &row("table:visibility=\"filter\"", "TEXT"))), false),
        (table("", &(row("", "a") + &row("table:visibility=\"visible\"", "TEXT"))), true),
        (table("<table:table-column/><table:table-column table:visibility=\"collapse\"/>", two), false),
        (table("<table:table-column table:number-columns-repeated=\"2\"/>", two), true),
        ("<table:table table:style-name=\"Gone\">".to_owned() + two + "</table:table>", false),
    ] {
        let html = article_of(&odt(&format!("<text:p>Before.</text:p>{text}")), "a.odt").html;
        assert_eq!(html.contains("TEXT"), is_shown, "{text}: {html}");
        assert!(html.contains("Before."), "{text}: {html}");
    }
}

#[test]
fn what_word_hides_stays_hidden() {
    let table = |style: &str, rows: &str| format!("<w:tbl><w:tblPr>{style}</w:tblPr>{rows}</w:tbl>");
    let row = |properties: &str, cell: &str, text: &str| {
        format!(
            "<w:tr><w:trPr>{properties}</w:trPr><w:tc>{}</w:tc><w:tc><w:tcPr>{cell}</w:tcPr>{}</w:tc></w:tr>",
            p("a"),
            p(text)
        )
    };
    let drawing = |hidden: &str| {
        format!(
            "<w:p><w:r><w:drawing><wp:inline><wp:docPr id=\"1\" {hidden}/><w:txbxContent>{}</w:txbxContent></wp:inline></w:drawing></w:r></w:p>",
            p("TEXT")
        )
    };
    for (body, is_shown) in [
        (styled("Weg", "TEXT"), false),
        (styled("Circle", "TEXT"), true),
        ("<w:p><w:r><w:rPr><w:rStyle w:val=\"Weg\"/></w:rPr><w:t>TEXT</w:t></w:r></w:p>".to_owned(), false),
        (table("<w:tblStyle w:val=\"Weg\"/>", &row("", "", "TEXT")), false),
        (table("", &row("", "", "TEXT")), true),
        (table("", &(row("", "", "b") + &row("<w:hidden/>", "", "TEXT"))), false),
        (table("", &(row("", "", "b") + &row("<w:hidden w:val=\"0\"/>", "", "TEXT"))), true),
        (table("", &row("", "<w:cellDel/>", "TEXT")), false),
        (drawing("hidden=\"1\""), false),
        (drawing("hidden=\"0\""), true),
    ] {
        let html = article_of(&docx(&format!("{}{body}", styled("Circle", "Before."))), "a.docx").html;
        assert_eq!(html.contains("TEXT"), is_shown, "{body}: {html}");
        assert!(html.contains("Before."), "{body}: {html}");
    }
    // Text in the usual style, and what all texts have.
    for hiding in [
        "<w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"N\"><w:name w:val=\"Normal\"/><w:rPr><w:vanish/></w:rPr></w:style>",
        "<w:docDefaults><w:rPrDefault><w:rPr><w:vanish/></w:rPr></w:rPrDefault></w:docDefaults>",
    ] {
        let shown = "<w:style w:type=\"paragraph\" w:styleId=\"S\"><w:name w:val=\"Shown\"/><w:rPr><w:vanish w:val=\"0\"/></w:rPr></w:style>";
        let styles = format!("<w:styles {W}>{hiding}{shown}</w:styles>");
        let body = p("TEXT") + &styled("S", "Shown.");
        let document = format!("<w:document {W}><w:body>{body}</w:body></w:document>");
        let bytes = pack(&[("word/document.xml", document.as_bytes()), ("word/styles.xml", styles.as_bytes())]);
        assert_eq!(article_of(&bytes, "a.docx").html, "<p>Shown.</p>\n", "{hiding}");
    }
}

#[test]
fn a_text_of_libreoffice_is_read() {
    let text = "<text:p text:style-name=\"P1\">The storm</text:p><text:h text:outline-level=\"1\">First</text:h>\
        <text:p>Plain <text:span text:style-name=\"T1\">bold</text:span> m<text:span text:style-name=\"T3\">2</text:span> \
        <text:a xlink:href=\"https://a.example/\">there</text:a><text:note text:note-class=\"footnote\"><text:note-citation>1</text:note-citation>\
        <text:note-body><text:p>A note.</text:p></text:note-body></text:note>.<text:s text:c=\"2\"/><text:line-break/>New line</text:p>\
        <text:p text:style-name=\"P2\">Quoted</text:p>\
        <text:list text:style-name=\"L1\"><text:list-item><text:p>one</text:p><text:p>more</text:p><text:list><text:list-item><text:p>inner</text:p>\
        </text:list-item></text:list></text:list-item><text:list-item><text:p>two</text:p></text:list-item></text:list>\
        <text:p><draw:frame><draw:image xlink:href=\"Pictures/1.png\"/><svg:desc>A boat</svg:desc></draw:frame></text:p>\
        <table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>h</text:p></table:table-cell><table:table-cell><text:p>i</text:p>\
        </table:table-cell></table:table-row></table:table-header-rows><table:table-row><table:table-cell table:number-columns-spanned=\"2\"><text:p>a</text:p>\
        </table:table-cell><table:covered-table-cell/></table:table-row></table:table>";
    let article = article_of(&odt(text), "a.odt");
    assert_eq!(article.title, "The storm");
    let hash = article.html.split("a.odt/").nth(1).unwrap().split(".png").next().unwrap();
    assert_eq!(
        article.html.replace(hash, "HASH"),
        "<h2>First</h2>\n<p>Plain <strong>bold</strong> m<sup>2</sup> <a href=\"https://a.example/\">there</a>\
         <sup id=\"fnref-1\"><a href=\"#fn-1\">1</a></sup>.  <br>\nNew line</p>\n<blockquote>\n<p>Quoted</p>\n</blockquote>\n\
         \n<ol>\n<li>one\n<p>more</p>\n<ul>\n<li>inner</li>\n</ul>\n</li>\n<li>two</li>\n</ol>\n\
         <p><img src=\"a.odt/HASH.png\" alt=\"A boat\"></p>\n\
         <table>\n<thead>\n<tr><th>h</th><th>i</th></tr>\n</thead>\n<tbody>\n<tr><td colspan=\"2\">a</td></tr>\n</tbody>\n</table>\n\
         <div class=\"footnote-definition\" id=\"fn-1\"><sup>1</sup>\n<p>A note. <a href=\"#fnref-1\">↩</a></p>\n</div>\n"
    );
    assert_eq!((article.authors[0].name.as_str(), article.tags.join("|").as_str()), ("Ann Lee", "sea|boats"));
}

#[test]
fn keys_at_the_start_are_front_matter_and_a_draft_is_held() {
    let body =
        [p("Date: 2026-11-20 09:00"), p("Tags: harbour, weather"), styled("berschrift1", "The storm"), p("It came.")]
            .concat();
    let article = article_of(&docx(&body), "a.docx");
    assert_eq!((article.title.as_str(), article.html.as_str()), ("The storm", "<p>It came.</p>\n"));
    assert_eq!(article.published.unwrap().to_string(), "2026-11-20 09:00:00 UTC");
    assert_eq!(article.tags, ["harbour", "weather"]);
    for keys in [p("Title: A") + &p("Draft: true"), p("Draft: true"), p("---") + &p("draft: true") + &p("---")] {
        let verdict = reading(&docx(&(keys.clone() + &p("It came."))), "a.docx").verdict;
        assert!(matches!(verdict, Verdict::Draft(..) | Verdict::Broken(_)), "{keys}: {verdict:?}");
    }
    let sentence = article_of(&docx(&(p("Note: this is a text.") + &p("It came."))), "a.docx");
    assert_eq!(sentence.html, "<p>Note: this is a text.</p>\n<p>It came.</p>\n");
}

#[test]
fn damaged_and_hostile_documents_are_refused() {
    let message = |bytes: &[u8]| match reading(bytes, "a.docx").verdict {
        Verdict::Broken(problem) => problem.message,
        other => panic!("{other:?}"),
    };
    assert!(message(b"PK").contains("damaged"));
    assert!(message(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 locked").contains("password"));
    let entities = format!(
        "<!DOCTYPE a [<!ENTITY b \"{}\"><!ENTITY c \"&b;&b;&b;\">]><w:document {W}><w:body><w:p><w:r><w:t>&c;</w:t></w:r></w:p></w:body></w:document>",
        "x".repeat(100)
    );
    assert!(message(&pack(&[("word/document.xml", entities.as_bytes())])).contains("damaged"));
    let spaces = vec![b' '; usize::try_from(MAX_PART).unwrap() + 1];
    assert!(message(&pack(&[("word/document.xml", &spaces)])).contains("too much text"));
    let deep = format!("<w:document {W}>{}", "<w:p>".repeat(1_000));
    assert!(message(&pack(&[("word/document.xml", deep.as_bytes())])).contains("too much text"));
    let many = docx(&"<w:p/>".repeat(500_000));
    assert!(message(&many).contains("too much text"));
    let whole = docx(&[styled("Titel", "A"), item(0, "b"), p("c")].concat());
    for at in (0..whole.len()).step_by(3) {
        // Any result, but no panic.
        reading(&whole[..at], "a.docx");
        let mut damaged = whole.clone();
        damaged[at] ^= 0xFF;
        reading(&damaged, "a.docx");
        reading(&damaged, "a.odt");
    }
}
