// Classes with trampolines, overloads, containers, exceptions, properties, buffers, callbacks, enums, operators, smart pointers.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/functional.h>
#include <pybind11/operators.h>
#include <pybind11/iostream.h>
#include <memory>
#include <thread>
namespace py = pybind11;

struct Pet {
    std::string name;
    int age = 0;
    static int count;
    explicit Pet(std::string n) : name(std::move(n)) { count++; }
    virtual ~Pet() { count--; }
    virtual std::string speak(int times) const { std::string s; for (int i = 0; i < times; i++) s += "?"; return s; }
    std::string call() const { return name + " says " + speak(2); }
};
int Pet::count = 0;
struct PyPet : Pet {
    using Pet::Pet;
    std::string speak(int times) const override { PYBIND11_OVERRIDE(std::string, Pet, speak, times); }
};
struct Dog : Pet {
    using Pet::Pet;
    std::string speak(int times) const override { std::string s; for (int i = 0; i < times; i++) s += "wuff "; return s; }
};
struct Vec2 {
    double x, y;
    Vec2 operator+(const Vec2 &o) const { return {x + o.x, y + o.y}; }
    Vec2 operator*(double f) const { return {x * f, y * f}; }
    bool operator==(const Vec2 &o) const { return x == o.x && y == o.y; }
};
struct Matrix {
    std::vector<double> data;
    py::ssize_t rows, columns;
    Matrix(py::ssize_t r, py::ssize_t c) : data(r * c), rows(r), columns(c) { for (size_t i = 0; i < data.size(); i++) data[i] = i; }
};
struct Custom : std::runtime_error { using std::runtime_error::runtime_error; };
enum class Kind { Cat = 1, Dog = 4 };
struct Node : std::enable_shared_from_this<Node> { std::shared_ptr<Node> next; int v; explicit Node(int v) : v(v) {} };

PYBIND11_MODULE(pb_sample, m) {
    m.doc() = "A pybind11 module.";
    py::class_<Pet, PyPet>(m, "Pet", py::dynamic_attr(), "A pet.")
        .def(py::init<std::string>(), py::arg("name"))
        .def("speak", &Pet::speak, py::arg("times") = 1, "Says something.")
        .def("call", &Pet::call)
        .def_readwrite("name", &Pet::name)
        .def_property("age", [](const Pet &p) { return p.age; }, [](Pet &p, int a) { if (a < 0) throw py::value_error("negative age"); p.age = a; })
        .def_readonly_static("count", &Pet::count)
        .def_property_readonly_static("kind", [](py::object cls) { return "kind of " + py::cast<std::string>(cls.attr("__name__")); })
        .def("__repr__", [](const Pet &p) { return "<Pet " + p.name + ">"; })
        .def(py::pickle([](const Pet &p) { return py::make_tuple(p.name, p.age); }, [](py::tuple t) { Pet p(t[0].cast<std::string>()); p.age = t[1].cast<int>(); return p; }));
    py::class_<Dog, Pet>(m, "Dog").def(py::init<std::string>());
    py::class_<Vec2>(m, "Vec2")
        .def(py::init<double, double>())
        .def(py::self + py::self).def(py::self * double()).def(py::self == py::self)
        .def_readwrite("x", &Vec2::x)
        .def("__iter__", [](const Vec2 &v) { return py::iter(py::make_tuple(v.x, v.y)); });
    py::class_<Matrix>(m, "Matrix", py::buffer_protocol())
        .def(py::init<py::ssize_t, py::ssize_t>())
        .def_buffer([](Matrix &x) { return py::buffer_info(x.data.data(), sizeof(double), py::format_descriptor<double>::format(), 2, {x.rows, x.columns}, {x.columns * sizeof(double), sizeof(double)}); })
        .def("__getitem__", [](const Matrix &x, std::pair<py::ssize_t, py::ssize_t> i) { if (i.first >= x.rows) throw py::index_error(); return x.data[i.first * x.columns + i.second]; });
    py::class_<Node, std::shared_ptr<Node>>(m, "Node").def(py::init<int>()).def_readwrite("next", &Node::next).def_readonly("v", &Node::v);
    py::enum_<Kind>(m, "Kind", py::arithmetic()).value("Tabby", Kind::Cat).value("Poodle", Kind::Dog).export_values();
    py::register_exception<Custom>(m, "CustomError", PyExc_LookupError);
    m.def("over", [](int x) { return x + 1; });
    m.def("over", [](double x) { return x / 2; });
    m.def("over", [](const std::string &s) { return s + "!"; });
    m.def("sum", [](const std::vector<int> &v) { int s = 0; for (int x : v) s += x; return s; });
    m.def("invert", [](const std::map<std::string, int> &d) { std::map<int, std::string> r; for (auto &kv : d) r[kv.second] = kv.first; return r; });
    m.def("maybe", [](std::optional<int> x) -> std::optional<std::string> { if (!x) return std::nullopt; return std::to_string(*x); });
    m.def("apply", [](const std::function<int(int)> &f, int x) { return f(f(x)); });
    m.def("adder", [](int n) -> std::function<int(int)> { return [n](int x) { return x + n; }; });
    m.def("fail", [](int kind) {
        switch (kind) {
        case 0: throw std::out_of_range("range"); case 1: throw std::invalid_argument("argument"); case 2: throw Custom("custom"); case 3: throw py::key_error("key");
        case 4: throw std::runtime_error("runtime"); case 5: throw py::stop_iteration(); case 6: throw std::bad_alloc(); case 7: py::module_::import("nothing_here");
        }
    });
    m.def("catching", [](py::function f) { try { f(); } catch (py::error_already_set &e) { return std::string(e.matches(PyExc_ZeroDivisionError) ? "zero " : "other ") + e.what(); } return std::string("none"); });
    m.def("kwargs", [](py::args a, py::kwargs k) { return py::make_tuple(a, k, py::len(a)); });
    m.def("named", [](int a, py::object b, bool c) { return py::str("{} {} {}").format(a, b, c); }, py::arg("a"), py::arg("b") = py::none(), py::kw_only(), py::arg("c") = true);
    m.def("threads", [](py::function f) {
        std::vector<std::thread> ts;
        { py::gil_scoped_release r; for (int i = 0; i < 4; i++) ts.emplace_back([&, i] { py::gil_scoped_acquire a; f(i); }); for (auto &t : ts) t.join(); }
    });
    m.def("build", []() { py::dict d; d["list"] = py::list(py::make_tuple(1, "two", 3.5)); d["set"] = py::set(py::make_tuple(1)); d["bytes"] = py::bytes("x\0y", 3); using namespace py::literals; d["nested"] = py::dict("a"_a = 1); return d; });
    m.def("print", [](py::object o) { py::print("printed", o, py::arg("end") = ".\n"); });
    m.def("speaker", [](const Pet &p) { return p.speak(1); });
    m.attr("CONSTANT") = 42;
    auto sub = m.def_submodule("sub", "A submodule.");
    sub.def("f", [] { return "sub"; });
}
