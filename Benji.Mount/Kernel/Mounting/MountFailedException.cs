namespace Benji.Mount.Kernel.Mounting;

/// <summary>Says in one line why nothing could be mounted, and what to do next.</summary>
internal sealed class MountFailedException(string message, Exception? inner = null) : Exception(message, inner);
