/* Directors, std::vector, exceptions, overloads, operators, callbacks: built with and without -builtin. */
%module(directors="1") MODULE
%feature("director") Shape;
%include "std_string.i"
%include "std_vector.i"
%include "std_map.i"
%include "exception.i"
%exception {
    try { $action }
    catch (Swig::DirectorException &e) { SWIG_fail; }
    catch (std::out_of_range &e) { SWIG_exception(SWIG_IndexError, e.what()); }
    catch (std::exception &e) { SWIG_exception(SWIG_RuntimeError, e.what()); }
}
%feature("director:except") { if ($error != NULL) throw Swig::DirectorMethodException(); }
%template(IntVector) std::vector<int>;
%template(NameMap) std::map<std::string, double>;
%rename(__add__) Point::operator+;
%rename(__eq__) Point::operator==;
%inline %{
#include <stdexcept>
#include <string>
#include <vector>
#include <map>
struct Point {
    double x, y;
    Point(double x = 0, double y = 0) : x(x), y(y) {}
    Point operator+(const Point &o) const { return Point(x + o.x, y + o.y); }
    bool operator==(const Point &o) const { return x == o.x && y == o.y; }
    std::string __str__() const { return "(" + std::to_string((int)x) + ", " + std::to_string((int)y) + ")"; }
};
class Shape {
public:
    static int alive;
    std::string name;
    Shape(const std::string &n) : name(n) { alive++; }
    virtual ~Shape() { alive--; }
    virtual double area() { return 0; }
    virtual std::string describe() { return name + " of area " + std::to_string((int)area()); }
    double doubled() { return 2 * area(); }
};
int Shape::alive = 0;
class Square : public Shape {
    double side;
public:
    Square(double s) : Shape("square"), side(s) {}
    double area() override { return side * side; }
};
enum Color { RED = 1, GREEN = 5 };
int over(int x) { return x + 1; }
std::string over(const std::string &s) { return s + "!"; }
double over(const Point &p) { return p.x; }
std::vector<int> firsts(int n) { std::vector<int> v; for (int i = 0; i < n; i++) v.push_back(i * i); return v; }
int total(const std::vector<int> &v) { int s = 0; for (int i : v) s += i; return s; }
int at(const std::vector<int> &v, int i) { return v.at(i); }
void fail(const std::string &s) { throw std::runtime_error(s); }
double area_of(Shape *s) { return s->area(); }
std::map<std::string, double> names() { return {{"a", 1.5}, {"b", 2}}; }
const char *hello(const char *who) { static std::string s; s = std::string("hello ") + who; return s.c_str(); }
int counter = 3;
#define LIMIT 77
%}
