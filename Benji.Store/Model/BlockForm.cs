namespace Benji.Store.Model;

/// <summary>The forms in which a block's object can stand in a storage.</summary>
internal enum BlockForm
{
    /// <summary>All of its frames are its own.</summary>
    Whole = 0,

    /// <summary>It borrows frames from its lenders.</summary>
    Delta = 1,
}
