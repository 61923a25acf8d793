// Package manpage writes manual pages in man(7), the macros that groff and mandoc share.
//
// A [Page] is filled from top to bottom. Its texts are help texts as the commands print them:
// paragraphs, and lists whose entries are indented by two spaces, with two or more spaces between a
// term and its text. [Page.Text] recognizes these and formats them as a reader of manual pages
// expects.
//
// github.com/spf13/cobra/doc is not used. It makes a page for each command, so that about thirty
// pages would describe what belongs together, and it reads help texts as Markdown, which joins the
// entries of our lists.
package manpage
