import flask
from flask import abort, jsonify, redirect, render_template_string, request, session, url_for

app = flask.Flask(__name__)
app.secret_key = "k"


@app.get("/hello/<name>")
def hello(name):
    return render_template_string("Hello {{ name }}! {{ request.args }}", name=name)


@app.route("/json", methods=["POST"])
def json():
    data = request.get_json()
    return jsonify(got=data, n=len(data)), 201, {"X-Made": "yes"}


@app.route("/count")
def count():
    session["n"] = session.get("n", 0) + 1
    return str(session["n"])


@app.route("/go")
def go():
    return redirect(url_for("hello", name="w\u00f6rld", q=1))


@app.route("/upload", methods=["POST"])
def upload():
    f = request.files["f"]
    return {"name": f.filename, "size": len(f.read()), "form": dict(request.form)}


@app.route("/boom")
def boom():
    raise ValueError("boom")


@app.errorhandler(404)
def missing(e):
    return "nothing at " + request.path, 404


@app.route("/teapot")
def teapot():
    abort(418)


@app.before_request
def before():
    flask.g.seen = True


@app.after_request
def after(response):
    response.headers["X-Seen"] = str(flask.g.seen)
    return response


client = app.test_client()
import io
for r in (client.get("/hello/<b>?a=1&a=2"), client.post("/json", json={"x": [1, None, "\u00e9"]}), client.get("/count"), client.get("/count"),
          client.get("/go"), client.get("/go", follow_redirects=True), client.get("/nope"), client.get("/teapot"), client.get("/boom"),
          client.post("/json", data="{bad", content_type="application/json"), client.put("/json"),
          client.post("/upload", data={"f": (io.BytesIO(b"12345"), "a.txt"), "k": "v"})):
    print(r.status, sorted((k, v) for k, v in r.headers if k not in ("Set-Cookie", "Vary")), r.get_data(as_text=True)[:300])
print(sorted((str(r), sorted(r.methods)) for r in app.url_map.iter_rules()))
with app.test_request_context("/x?y=1"):
    print(request.args["y"], url_for("hello", name="n", _external=True))
