"""`kitsurvie assets`: one register of equipment from many exports."""
