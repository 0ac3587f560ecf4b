"""Passing, failing, erring, skipped and expected tests; fixtures; sub-tests; mocks."""
import asyncio
import unittest
from unittest import mock


class Outcomes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.log = []

    def setUp(self):
        self.addCleanup(self.log.append, self.id())

    def test_passes(self):
        self.assertEqual(sorted({3, 1, 2}), [1, 2, 3])

    def test_fails(self):
        self.assertEqual({"a": [1, 2, 3], "b": "x" * 30}, {"a": [1, 2, 4], "b": "x" * 31})

    def test_lines(self):
        self.assertMultiLineEqual("one\ntwo\nthree\n", "one\n2\nthree\n")

    def test_errs(self):
        def inner(n):
            return 1 / n
        inner(0)

    @unittest.skip("not now")
    def test_skipped(self):
        pass

    @unittest.expectedFailure
    def test_expected(self):
        self.fail("as expected")

    @unittest.expectedFailure
    def test_unexpected(self):
        pass

    def test_sub(self):
        for i in range(4):
            with self.subTest(i=i, square=i * i):
                self.assertNotEqual(i, 2)

    def test_raises(self):
        with self.assertRaisesRegex(ValueError, "invalid literal"):
            int("x")
        with self.assertWarns(DeprecationWarning) as w:
            import warnings
            warnings.warn("old", DeprecationWarning)
        self.assertEqual(w.lineno, 51)
        with self.assertLogs("a.b", "INFO") as logs:
            import logging
            logging.getLogger("a.b").info("%s!", "hello")
        self.assertEqual(logs.output, ["INFO:a.b:hello!"])

    def test_mock(self):
        m = mock.MagicMock(side_effect=[1, KeyError("k")], spec=dict)
        m(1, a=2)
        with self.assertRaises(KeyError):
            m()
        m.assert_any_call(1, a=2)
        with mock.patch("os.getcwd", return_value="/nowhere"):
            import os
            self.assertEqual(os.getcwd(), "/nowhere")
        m.assert_called_once()


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    async def test_gather(self):
        async def one(n):
            await asyncio.sleep(0)
            return n * 2
        self.assertEqual(await asyncio.gather(*map(one, range(5))), [0, 2, 4, 6, 8])

    async def test_timeout(self):
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)
