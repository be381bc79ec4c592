throw new Error("This script is broken.");
