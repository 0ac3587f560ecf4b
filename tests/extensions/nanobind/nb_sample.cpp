// nanobind's types, functions, trampolines, containers, exceptions and buffers.
#include <nanobind/nanobind.h>
#include <nanobind/trampoline.h>
#include <nanobind/operators.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/function.h>
#include <nanobind/stl/pair.h>
#include <nanobind/ndarray.h>
namespace nb = nanobind;
using namespace nb::literals;
struct Base {
    std::string name;
    explicit Base(std::string n) : name(std::move(n)) {}
    virtual ~Base() = default;
    virtual int value(int x) const { return x; }
    int twice(int x) const { return value(value(x)); }
};
struct PyBase : Base {
    NB_TRAMPOLINE(Base, 1);
    int value(int x) const override { NB_OVERRIDE(value, x); }
};
struct Num { int v; Num operator+(const Num &o) const { return {v + o.v}; } bool operator==(const Num &o) const { return v == o.v; } };
enum class Mode { Off, On = 3 };
struct Oops : std::runtime_error { using std::runtime_error::runtime_error; };
NB_MODULE(nb_sample, m) {
    nb::class_<Base, PyBase>(m, "Base", nb::dynamic_attr(), nb::is_weak_referenceable())
        .def(nb::init<std::string>(), "name"_a).def("value", &Base::value, "x"_a = 4).def("twice", &Base::twice).def_rw("name", &Base::name)
        .def_prop_ro("upper", [](const Base &b) { std::string s = b.name; for (char &c : s) c = (char)toupper(c); return s; })
        .def_static("make", [](int n) { return std::string(n, '*'); });
    nb::class_<Num>(m, "Num").def(nb::init<int>()).def(nb::self + nb::self).def(nb::self == nb::self).def_ro("v", &Num::v)
        .def("__repr__", [](const Num &n) { return "Num(" + std::to_string(n.v) + ")"; });
    nb::enum_<Mode>(m, "Mode").value("Off", Mode::Off, "off").value("On", Mode::On);
    nb::exception<Oops>(m, "Oops", PyExc_ValueError);
    m.def("over", [](int x) { return x + 1; });
    m.def("over", [](const std::string &s) { return s + "!"; });
    m.def("total", [](const std::vector<int> &v) { int s = 0; for (int i : v) s += i; return s; });
    m.def("pairs", [](const std::map<std::string, int> &d) { std::vector<std::pair<int, std::string>> r; for (auto &kv : d) r.emplace_back(kv.second, kv.first); return r; });
    m.def("maybe", [](std::optional<int> x) { return x ? std::optional<double>(*x / 2.0) : std::nullopt; }, "x"_a.none());
    m.def("apply", [](const std::function<int(int)> &f, int x) { return f(x) + 1; });
    m.def("fail", [](int k) { if (k == 0) throw std::out_of_range("range"); if (k == 1) throw Oops("oops"); if (k == 2) throw nb::type_error("type"); throw std::runtime_error("other"); });
    m.def("args", [](nb::args a, nb::kwargs k) { return nb::make_tuple(a, k); });
    m.def("named", [](int a, nb::object b, bool c) { return nb::str("{} {} {}").format(a, b, c); }, "a"_a, "b"_a = nb::none(), nb::kw_only(), "c"_a = true);
    m.def("array_sum", [](nb::ndarray<const double, nb::ndim<1>, nb::c_contig> a) { double s = 0; for (size_t i = 0; i < a.shape(0); i++) s += a(i); return s; });
    m.attr("X") = 5;
}
