namespace Benji.Cli;

/// <summary>The entry of the program.</summary>
internal static class Program
{
    private static Task<int> Main(string[] arguments) => Composition.RunAsync(arguments);
}
