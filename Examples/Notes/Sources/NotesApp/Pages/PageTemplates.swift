import Mustache

/// The parts of the page, in the order in which they are written.
struct PageTemplates: Sendable {
    /// The head and the forms.
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
        <meta name="viewport" content="width=device-width">
        <title>Notes of {{tenant}}</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="/notes.css">
        </head>
        <body>
        <a class="skip" href="#list">Skip to the notes</a>
        <header>
        <h1>Notes of <b>{{tenant}}</b></h1>
        <form class="tenant" action="/">
        <label>Tenant <input name="tenant" value="{{tenant}}" required maxlength="32" pattern="[a-z0-9\\-]+"
            title="1 to 32 of a-z, 0-9 and -" autocomplete="off" autocapitalize="none" spellcheck="false"></label>
        <button>Switch</button>
        </form>
        <form role="search" action="/">
        {{#named}}<input type="hidden" name="tenant" value="{{named}}">{{/named}}
        <input type="search" name="q" value="{{words}}" aria-label="Search the notes of {{tenant}}" placeholder="Search">
        <button>Search</button>
        </form>
        <nav aria-label="What goes on here">
        <a href="/_requests/">Inspector</a>
        <a href="/metrics">Metrics</a>
        </nav>
        </header>
        <main>
        <section class="add" aria-labelledby="add">
        <h2 id="add">New note</h2>
        <form action="/notes{{#named}}?tenant={{named}}{{/named}}" method="post">
        {{#message}}<p role="alert">{{message}}</p>{{/message}}
        <label>Title <input name="title" value="{{title}}" required autocomplete="off"></label>
        <label>Text <textarea name="body" required>
        {{body}}</textarea></label>
        <button>Add the note</button>
        </form>
        </section>
        <section class="list" id="list" aria-label="Notes" tabindex="-1">
        {{#words}}
        <h2 class="found">Notes with “{{words}}” <a href="/{{#named}}?tenant={{named}}{{/named}}">Show all</a></h2>
        {{/words}}
        <ul>

        """

    private static let notesText = """
        {{#notes}}
        <li><h2>{{title}}</h2><p>{{body}}</p></li>
        {{/notes}}

        """

    private static let endText = """
        </ul>
        {{#nothing}}
        <p class="empty"><strong>{{nothing}}</strong> {{remedy}}</p>
        {{/nothing}}
        </section>
        </main>
        <footer>
        <dl aria-label="What served this page">
        <div><dt>Request</dt><dd><code>{{request}}</code></dd></div>
        <div><dt>Tenant</dt><dd>{{tenant}}</dd></div>
        <div><dt>Database lease</dt><dd>{{client}}</dd></div>
        </dl>
        <p>What it held and waited for: <a href="/_requests/#route={{request}}">see this request</a></p>
        </footer>
        </body>
        </html>
        <!-- request={{request}} tenant={{tenant}} client={{client}} -->

        """
}
