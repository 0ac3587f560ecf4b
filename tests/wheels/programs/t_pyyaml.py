"""The main job of pyyaml, with output that does not change."""
import yaml
t = 'a: [1, 2.5, true, null]\nb:\n  - x: &A {q: 1}\n  - *A\nd: 2020-01-02\n'
print(yaml.__with_libyaml__, yaml.load(t, Loader=yaml.CSafeLoader), yaml.dump({'z': [1, {'y': 'ü'}]}, Dumper=yaml.CSafeDumper))
try:
    yaml.load('a: [', Loader=yaml.CSafeLoader)
except yaml.YAMLError as e:
    print(type(e), e)
