print("longspan")
