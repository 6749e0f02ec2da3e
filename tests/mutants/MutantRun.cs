using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;
using Xunit.Sdk;

/// <summary>The entry point of the tests in the copy that <c>scripts/mutate</c> makes: tries one defect after another in one
/// process, which starts once and not for each.</summary>
/// <remarks>
/// <para>usage: Benji.Tests.dll FILE FIRST. FILE has a line for each defect: its name, parts of names of tests, what it is. Prints
/// a line for each from number FIRST on: <c>killed</c>, <c>lived</c> or <c>hung</c>, its name, the first test that failed.</para>
/// <para>Ends with 0 after the last defect; with 3 when it is to be started again for the next one, as a test hangs, or a test that
/// failed fails without the defect too: what came before has left something behind; and with 2 when no test matches, or one
/// fails without any defect.</para>
/// </remarks>
public static class MutantRun
{
    private const int SecondsMin = 60;
    private const int TimesMax = 5;

    // Tests may redirect it later.
    private static readonly TextWriter Output = Console.Out;
    private static readonly XunitTestFramework Framework = new(new NullMessageSink());
    private static readonly Dictionary<string, (List<ITestCase> Tests, TimeSpan Limit)> Known = [];

    public static void Main(string[] args) => Environment.Exit(
        Try(File.ReadAllLines(args[0]), int.Parse(args[1], CultureInfo.InvariantCulture)));

    private static int Try(string[] lines, int first)
    {
        var all = Discover();
        for (var i = first; i < lines.Length; i++)
        {
            var (name, parts, what) = (lines[i].Split('\t')[0], lines[i].Split('\t')[1], lines[i].Split('\t')[2]);
            if (!Known.ContainsKey(parts) && Prepare(all, parts) is { } fault)
            {
                Console.Error.WriteLine(fault);
                return 2;
            }

            var (tests, limit) = Known[parts];
            var (isOver, failed) = Run(name, tests, limit);
            var isClean = isOver && (failed is null || Run("", [failed], limit) is { IsOver: true, First: null });
            if (!isClean && i > first)
            {
                // It is tried once more by a process in which the same tests have just passed.
                return 3;
            }

            var result = failed is not null ? "killed" : isOver ? "lived" : "hung";
            var test = failed?.DisplayName.Replace("Benji.Tests.", "", StringComparison.Ordinal);
            Output.WriteLine($"\n{result,-6}  {name,-44}  {test ?? what}");
            if (!isClean)
            {
                return 3;
            }
        }

        return 0;
    }

    // Finds the tests and runs them without a defect; answers what is wrong with them, or null.
    private static string? Prepare(List<ITestCase> all, string parts)
    {
        var tests = all.Where(test => parts.Split(' ').Any(NameOf(test).Contains)).ToList();
        if (tests.Count == 0)
        {
            return $"No test matches: {parts}";
        }

        var clock = Stopwatch.StartNew();
        if (Run("", tests, Timeout.InfiniteTimeSpan).First is { } failed)
        {
            return $"Without any defect, this fails: {failed.DisplayName}";
        }

        Known[parts] = (tests, TimeSpan.FromSeconds(SecondsMin) + (TimesMax * clock.Elapsed));
        return null;
    }

    private static string NameOf(ITestCase test) => $"{test.TestMethod.TestClass.Class.Name}.{test.TestMethod.Method.Name}";

    private static List<ITestCase> Discover()
    {
        var sink = new Sink();
        using var discoverer = Framework.GetDiscoverer(Reflector.Wrap(typeof(MutantRun).Assembly));
        discoverer.Find(includeSourceInformation: false, sink, new Options());
        sink.IsOver.Wait();
        return sink.Tests;
    }

    // Until the first test that fails.
    private static (bool IsOver, ITestCase? First) Run(string defect, List<ITestCase> tests, TimeSpan limit)
    {
        Mutant.Chosen = defect;
        Environment.SetEnvironmentVariable("BENJI_MUTANT", defect);
        var sink = new Sink();
        var executor = Framework.GetExecutor(typeof(MutantRun).Assembly.GetName());
        executor.RunTests(tests, sink, new Options());
        var isOver = sink.IsOver.Wait(limit);
        return (isOver, sink.First);
    }

    private sealed class Sink : IMessageSink
    {
        public List<ITestCase> Tests { get; } = [];

        public ManualResetEventSlim IsOver { get; } = new();

        public ITestCase? First { get; private set; }

        public bool OnMessage(IMessageSinkMessage message)
        {
            switch (message)
            {
                case ITestCaseDiscoveryMessage found:
                    Tests.Add(found.TestCase);
                    break;
                case ITestFailed failed:
                    First ??= failed.TestCase;
                    break;
                case ITestClassCleanupFailure failed:
                    First ??= failed.TestCases.First();
                    break;
                case IDiscoveryCompleteMessage or ITestAssemblyFinished:
                    IsOver.Set();
                    break;
            }

            return First is null;
        }
    }

    private sealed class Options : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> _values = [];

        public TValue? GetValue<TValue>(string name) => _values.TryGetValue(name, out var value) ? (TValue?)value : default;

        public void SetValue<TValue>(string name, TValue value) => _values[name] = value;
    }
}
