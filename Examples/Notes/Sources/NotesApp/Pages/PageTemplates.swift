import Mustache

/// The parts of the page, in the order in which they are written.
struct PageTemplates: Sendable {
    /// The head and the form.
    let shell: MustacheTemplate
    /// Some of the notes.
    let notes: MustacheTemplate
    /// The end, with what the body saw of its request.
    let end: MustacheTemplate

    init() throws {
        MustacheContentTypes.register(HTMLContentType(), named: HTMLContentType.name)
        let pragma = "{{% CONTENT_TYPE:\(HTMLContentType.name)}}\n"
        shell = try MustacheTemplate(string: pragma + Self.shellText)
        notes = try MustacheTemplate(string: pragma + Self.notesText)
        end = try MustacheTemplate(string: pragma + Self.endText)
    }

    private static let shellText = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <title>Notes</title>
        </head>
        <body>
        <h1>Notes of {{tenant}}</h1>
        <form action="/notes" method="post">
        {{#message}}<p role="alert">{{message}}</p>{{/message}}
        <p><label>Title <input name="title" value="{{title}}"></label></p>
        <p><label>Text <textarea name="body">
        {{body}}</textarea></label></p>
        <p><button>Add the note</button></p>
        </form>
        <ul>

        """

    private static let notesText = """
        {{#notes}}
        <li><h2>{{title}}</h2><p>{{body}}</p></li>
        {{/notes}}

        """

    private static let endText = """
        </ul>
        </body>
        </html>
        <!-- request={{request}} tenant={{tenant}} client={{client}} -->

        """
}
